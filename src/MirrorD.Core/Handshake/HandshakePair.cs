using MirrorD.Formats;

namespace MirrorD.Core.Handshake;

/// <summary>
/// Both sides' facts as one side sees them, with what the rows of the table ask about them.
/// </summary>
/// <param name="Self">This side.</param>
/// <param name="Peer">The other side.</param>
public sealed partial record HandshakePair(HandshakeFacts Self, HandshakeFacts Peer)
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

    /// <summary>A side has dirty blocks.</summary>
    public bool HasDirtyBlocks => Self.SyncSetBlocks > 0 || Peer.SyncSetBlocks > 0;

    /// <summary>The union of both sync sets is not empty; what a volume grows by belongs to it.</summary>
    public bool HasSyncSet => HasDirtyBlocks || Grows;

    /// <summary>The peer has seen a later superblock of this side than there is now.</summary>
    public bool SelfRolledBack => RolledBack(Self, seenBy: Peer);

    /// <summary>This side has seen a later superblock of the peer than there is now.</summary>
    public bool PeerRolledBack => RolledBack(Peer, seenBy: Self);

    /// <summary>Breaks a tie in the same way on both sides.</summary>
    public bool SelfHasLowerNode => Self.Node.Value.CompareTo(Peer.Node.Value) < 0;

    /// <summary>
    /// The number of volumes differs, or the sizes do and one side can't hold the larger one. Without a disk nothing grows.
    /// </summary>
    public bool SizesDiffer => Self.Volumes.Count != Peer.Volumes.Count || Enumerable.Range(0, Self.Volumes.Count).Any(v =>
        LacksDisk ? Self.Volumes[v].DataBytes != Peer.Volumes[v].DataBytes
            : Math.Max(Self.Volumes[v].DataBytes, Peer.Volumes[v].DataBytes) > MostBytes(v));

    /// <summary>A volume gets larger on at least one side.</summary>
    public bool Grows => Enumerable.Range(0, Math.Min(Self.Volumes.Count, Peer.Volumes.Count)).Any(v =>
        AgreedBytes(v) > Math.Min(Self.Volumes[v].DataBytes, Peer.Volumes[v].DataBytes));

    /// <summary>The facts of the side that has this part.</summary>
    public HandshakeFacts Side(HandshakePart selfIs, HandshakePart part) => selfIs == part ? Self : Peer;

    /// <summary>
    /// The size that a volume has after the join: the larger of both, so that a growth that one side has stored is made up
    /// for by the other one; or what an operator wants, if both can hold it.
    /// </summary>
    public long AgreedBytes(int volume)
    {
        long stored = Math.Max(Self.Volumes[volume].DataBytes, Peer.Volumes[volume].DataBytes);
        long wanted = Math.Max(Self.Volumes[volume].WantedBytes, Peer.Volumes[volume].WantedBytes);
        return !LacksDisk && wanted > stored && wanted <= MostBytes(volume) ? wanted : stored;
    }

    private bool LacksDisk =>
        Self.DiskState is DiskState.Diskless or DiskState.Failed || Peer.DiskState is DiskState.Diskless or DiskState.Failed;

    private long MostBytes(int volume) => Math.Min(Self.Volumes[volume].MostBytes, Peer.Volumes[volume].MostBytes);

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
