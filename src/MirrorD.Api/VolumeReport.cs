namespace MirrorD.Api;

/// <summary>A volume.</summary>
public sealed record VolumeReport
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Backing device or file on this node.</summary>
    public required string Device { get; init; }

    /// <summary>Size.</summary>
    public required long LengthBytes { get; init; }

    /// <summary>Bytes that the peer may not have.</summary>
    public required long DirtyBytes { get; init; }

    /// <summary>Completed reads.</summary>
    public required long Reads { get; init; }

    /// <summary>Completed writes, zeroes and discards.</summary>
    public required long Writes { get; init; }

    /// <summary>The kernel's block device of the volume; null while this node does not serve it.</summary>
    public string? BlockDevice { get; init; }

    /// <summary>Unix socket of the NBD export; null while it is not open here.</summary>
    public string? ExportSocket { get; init; }

    /// <summary>Unix socket at which this node's copy can be read; null unless an operator has opened it.</summary>
    public string? CopySocket { get; init; }
}
