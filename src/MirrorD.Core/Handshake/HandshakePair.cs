using MirrorD.Formats;

namespace MirrorD.Core.Handshake;

/// <summary>
/// Both sides' facts as one side sees them, with what the rows of the table ask about them.
/// </summary>
/// <param name="Self">This side.</param>
/// <param name="Peer">The other side.</param>
public sealed record HandshakePair(HandshakeFacts Self, HandshakeFacts Peer)
{
    /// <summary>S = P.</summary>
    public bool SameGeneration => Self.Current.Matches(Peer.Current);

    /// <summary>The peer went on from this side's current generation: S = Pb.</summary>
    public bool PeerIsNext => !SameGeneration && Self.Current.Matches(Peer.Bitmap);

    /// <summary>This side went on from the peer's current generation: Sb = P.</summary>
    public bool SelfIsNext => !SameGeneration && Self.Bitmap.Matches(Peer.Current);

    /// <summary>S is in the peer's history.</summary>
    public bool PeerKnowsSelf => !SameGeneration && Knows(Peer, Self.Current);

    /// <summary>P is in this side's history.</summary>
    public bool SelfKnowsPeer => !SameGeneration && Knows(Self, Peer.Current);

    /// <summary>Any generation that both have or had.</summary>
    public bool HasCommonGeneration =>
        All(Self).Any(mine => All(Peer).Any(theirs => mine.Matches(theirs)));

    /// <summary>Sb = Pb: what changed since then is known on both sides.</summary>
    public bool HasKnownBase => !SameGeneration && Self.Bitmap.Matches(Peer.Bitmap);

    /// <summary>The union of both sync sets is not empty.</summary>
    public bool HasSyncSet => Self.SyncSetBlocks > 0 || Peer.SyncSetBlocks > 0;

    /// <summary>The peer has seen a later superblock of this side than there is now.</summary>
    public bool SelfRolledBack => RolledBack(Self, seenBy: Peer);

    /// <summary>This side has seen a later superblock of the peer than there is now.</summary>
    public bool PeerRolledBack => RolledBack(Peer, seenBy: Self);

    /// <summary>Breaks a tie in the same way on both sides.</summary>
    public bool SelfHasLowerNode => Self.Node.Value.CompareTo(Peer.Node.Value) < 0;

    /// <summary>Number or sizes of the volumes differ.</summary>
    public bool SizesDiffer =>
        !Self.Volumes.Select(v => v.DataBytes).SequenceEqual(Peer.Volumes.Select(v => v.DataBytes));

    /// <summary>The facts of the side that has this part.</summary>
    public HandshakeFacts Side(HandshakePart selfIs, HandshakePart part) => selfIs == part ? Self : Peer;

    private static bool Knows(HandshakeFacts side, Generation generation) =>
        side.History.Any(known => known.Matches(generation));

    private static IEnumerable<Generation> All(HandshakeFacts side) =>
        [side.Current, side.Bitmap, .. side.History];

    private static bool RolledBack(HandshakeFacts side, HandshakeFacts seenBy)
    {
        for (int i = 0; i < Math.Min(side.Volumes.Count, seenBy.Volumes.Count); i++)
        {
            if (side.Volumes[i].Sequence < seenBy.Volumes[i].PeerSequence)
            {
                return true;
            }
        }

        return false;
    }
}
