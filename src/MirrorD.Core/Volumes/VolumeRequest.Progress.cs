using MirrorD.Core.Replication;

namespace MirrorD.Core.Volumes;

/// <summary>How far a request is on its way; used by the replica only.</summary>
public partial class VolumeRequest : IRangeUser
{
    /// <summary>Place in the order in which requests arrived.</summary>
    internal long Arrival { get; set; }

    /// <summary>Log change that has to be durable before the request goes on.</summary>
    internal long LogTicket { get; set; }

    /// <summary>Sequence under which the peer has it; 0 when not sent.</summary>
    internal long Sequence { get; set; }

    /// <summary>When it was last handed to a disk; told from in a resync only.</summary>
    internal long BegunNs { get; set; }

    /// <summary>Local disk operation is under way.</summary>
    internal bool LocalPending { get; set; }

    /// <summary>The peer's acknowledgement is awaited.</summary>
    internal bool PeerPending { get; set; }

    /// <summary>The peer has it in memory (mode memory).</summary>
    internal bool PeerReceived { get; set; }

    /// <summary>It counts against the bound of what may be ahead of the peer (mode async).</summary>
    internal bool IsAdmitted { get; set; }

    /// <summary>The peer acknowledged it on the present connection.</summary>
    internal bool PeerDone { get; set; }

    /// <summary>The local disk could not carry it out: what the peer has done of it does not complete it.</summary>
    internal bool LocalFailed { get; set; }

    /// <summary>A read that the local disk could not answer, with this errno; 0 for all others.</summary>
    internal int ReadError { get; set; }

    /// <summary>It counts as in flight in the activity log.</summary>
    internal bool InLog { get; set; }

    /// <summary>It holds its range.</summary>
    internal bool HoldsRange { get; set; }

    /// <summary>First activity-log extent.</summary>
    internal uint FirstExtent => (uint)(Offset / Limits.ExtentBytes);

    /// <summary>Last activity-log extent.</summary>
    internal uint LastExtent => (uint)((Offset + Math.Max(LengthBytes, 1) - 1) / Limits.ExtentBytes);
}
