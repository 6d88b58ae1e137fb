using MirrorD.Core.Volumes;

namespace MirrorD.Core.Replication;

/// <summary>A mutation received from the peer: a client's write, or a resync copy. Made by the engine, with its data.</summary>
public class IncomingWrite
{
    /// <summary>Sequence on this connection.</summary>
    public long Sequence { get; set; }

    /// <summary>Number of the connection that it came over: a late completion of an older one is not acknowledged.</summary>
    internal int Link { get; set; }

    /// <summary>Log change that has to be durable before it is applied.</summary>
    internal long LogTicket { get; set; }

    /// <summary>It counts as in flight in the activity log.</summary>
    internal bool InLog { get; set; }

    /// <summary>First activity-log extent.</summary>
    internal uint FirstExtent => (uint)(Offset / Limits.ExtentBytes);

    /// <summary>Last activity-log extent.</summary>
    internal uint LastExtent => (uint)((Offset + Math.Max(LengthBytes, 1) - 1) / Limits.ExtentBytes);

    /// <summary>Write or Zero.</summary>
    public VolumeOperation Operation { get; set; }

    /// <summary>Volume number.</summary>
    public int Volume { get; set; }

    /// <summary>Byte offset.</summary>
    public long Offset { get; set; }

    /// <summary>Length in bytes.</summary>
    public long LengthBytes { get; set; }

    /// <summary>A resync copy: no client waits for it.</summary>
    public bool IsCopy { get; set; }

    /// <summary>Must itself be durable before the acknowledgement.</summary>
    public bool ForceUnitAccess { get; set; }

    /// <summary>A zero may give room back.</summary>
    public bool MayUnmap { get; set; }
}
