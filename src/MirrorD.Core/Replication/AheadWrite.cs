namespace MirrorD.Core.Replication;

/// <summary>
/// A mutation whose client has its answer while the peer has not completed it (modes memory and async). It keeps what
/// the request held, which is its client's again: the range, and the extents of the activity log.
/// </summary>
public sealed class AheadWrite : IRangeUser
{
    /// <inheritdoc/>
    public int Volume { get; internal set; }

    /// <inheritdoc/>
    public long Offset { get; internal set; }

    /// <inheritdoc/>
    public long LengthBytes { get; internal set; }

    /// <summary>Sequence under which it was sent.</summary>
    public long Sequence { get; internal set; }

    /// <summary>When its client was answered, in nanoseconds of the loop.</summary>
    public long SinceNs { get; internal set; }

    /// <summary>It counts against the bound of <see cref="AheadWrites.Admit"/>.</summary>
    internal bool IsAdmitted { get; set; }

    /// <summary>It holds its range.</summary>
    internal bool HoldsRange { get; set; }

    internal AheadWrite? Older { get; set; }

    internal AheadWrite? Newer { get; set; }

    internal uint FirstExtent => (uint)(Offset / Limits.ExtentBytes);

    internal uint LastExtent => (uint)((Offset + LengthBytes - 1) / Limits.ExtentBytes);
}
