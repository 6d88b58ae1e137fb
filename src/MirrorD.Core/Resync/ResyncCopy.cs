using MirrorD.Core.Replication;
using MirrorD.Core.Verify;

namespace MirrorD.Core.Resync;

/// <summary>
/// One run of dirty blocks on its way to the target: waits for its range, is read, sent, acknowledged, and kept
/// until both sides have flushed; only then its bits are cleared. Made by the engine, with its slot.
/// </summary>
public class ResyncCopy : IRangeUser
{
    /// <inheritdoc/>
    public int Volume { get; set; }

    /// <inheritdoc/>
    public long Offset { get; set; }

    /// <inheritdoc/>
    public long LengthBytes { get; set; }

    /// <summary>All that was read is zeroes; set by whoever read it, before <see cref="Replica.CopyRead"/>.</summary>
    public bool IsZero { get; set; }

    /// <summary>When it was begun.</summary>
    internal long BegunNs { get; set; }

    /// <summary>Blocks that a client wrote after they were copied: their bits stay.</summary>
    internal uint TouchedBlocks { get; set; }

    /// <summary>It holds its range.</summary>
    internal bool HoldsRange { get; set; }

    /// <summary>It keeps its range until flushed.</summary>
    internal bool KeepsRange { get; set; }

    /// <summary>Number of the connection that it belongs to; one of an older connection is dropped.</summary>
    internal int Link { get; set; }

    /// <summary>The range of a verify whose data it holds; null for a copy of a resync.</summary>
    internal VerifyRange? Verify { get; set; }

    /// <summary>First block of the dirty map.</summary>
    internal long FirstBlock => Offset / Limits.BlockBytes;

    /// <summary>Blocks covered.</summary>
    internal int Blocks => (int)((LengthBytes + Limits.BlockBytes - 1) / Limits.BlockBytes);
}
