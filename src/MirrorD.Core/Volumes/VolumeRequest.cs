namespace MirrorD.Core.Volumes;

/// <summary>What a client asks of a volume.</summary>
public enum VolumeOperation : byte
{
    /// <summary>Read the range.</summary>
    Read,
    /// <summary>Write the range.</summary>
    Write,
    /// <summary>Make the range read as zeroes.</summary>
    Zero,
    /// <summary>Give the range back; its contents are then undefined but the same on both copies.</summary>
    Discard,
    /// <summary>All requests completed before this one become durable on every side that counts.</summary>
    Flush,
}

/// <summary>
/// One request for a volume, already validated (in range, aligned, at most one slot of data). Reused by its
/// owner; between submission and completion it belongs to the resource.
/// </summary>
public partial class VolumeRequest
{
    /// <summary>What is asked.</summary>
    public VolumeOperation Operation { get; set; }

    /// <summary>Volume number within the resource.</summary>
    public int Volume { get; set; }

    /// <summary>Byte offset; 0 for a flush.</summary>
    public long Offset { get; set; }

    /// <summary>Length in bytes; 0 for a flush.</summary>
    public long LengthBytes { get; set; }

    /// <summary>A write, zero or discard that must itself be durable on every side that counts before completion.</summary>
    public bool ForceUnitAccess { get; set; }

    /// <summary>A zero request may give the room back.</summary>
    public bool MayUnmap { get; set; }

    /// <summary>After completion: 0, or a positive errno.</summary>
    public int Error { get; set; }

    /// <summary>True for write, zero and discard.</summary>
    public bool IsMutation => Operation is VolumeOperation.Write or VolumeOperation.Zero or VolumeOperation.Discard;
}
