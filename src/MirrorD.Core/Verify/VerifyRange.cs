using MirrorD.Core.Replication;
using MirrorD.Core.Resync;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Verify;

/// <summary>How far a range of a verify is.</summary>
internal enum VerifyStage
{
    /// <summary>Waits for its range, is read here, and hashed on the other side.</summary>
    Comparing,
    /// <summary>It is to be repaired, and is being marked dirty durably.</summary>
    Marking,
    /// <summary>It is copied to the other side: until that has it the range is not given up.</summary>
    Sent,
    /// <summary>The other side has the copy, and both are being flushed.</summary>
    Flushing,
    /// <summary>It is given up; a read that runs may end.</summary>
    Dropped,
}

/// <summary>
/// One range that is compared with the peer's: it holds its range, so that no client's write is under way there on either
/// side. Its data is in the slot of a copy, which a repair sends.
/// </summary>
public sealed class VerifyRange : IRangeUser
{
    internal VerifyRange(ResyncCopy copy) => Copy = copy;

    /// <inheritdoc/>
    public int Volume => Copy.Volume;

    /// <inheritdoc/>
    public long Offset => Copy.Offset;

    /// <inheritdoc/>
    public long LengthBytes => Copy.LengthBytes;

    /// <summary>The slot with this node's data.</summary>
    internal ResyncCopy Copy { get; }

    /// <summary>How far it is.</summary>
    internal VerifyStage Stage { get; set; }

    /// <summary>It holds its range.</summary>
    internal bool HoldsRange { get; set; }

    /// <summary>Its data is being read here.</summary>
    internal bool IsReading { get; set; }

    /// <summary>The peer has not answered.</summary>
    internal bool IsAsked { get; set; }

    /// <summary>Hash of this node's data; null when it could not be read.</summary>
    internal RangeHash? Own { get; set; }

    /// <summary>Hash of the peer's data; null when it could not be read.</summary>
    internal RangeHash? Peers { get; set; }

    /// <summary>What the comparison said.</summary>
    internal VerifyOutcome Outcome { get; set; }

    /// <summary>Sequence of the question that the peer was asked; later of the copy that repairs it.</summary>
    internal long Sequence { get; set; }
}
