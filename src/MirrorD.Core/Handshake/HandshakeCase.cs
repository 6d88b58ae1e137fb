namespace MirrorD.Core.Handshake;

/// <summary>
/// Which row of the handshake table held, or which rule below it (safety contract, section 4). Sent to the
/// peer.
/// </summary>
public enum HandshakeCase : byte
{
    /// <summary>Both sides have the same node id: a copied configuration or disk.</summary>
    SameNode = 1,
    /// <summary>Number or sizes of the volumes differ.</summary>
    SizesDiffer = 2,
    /// <summary>One side has no usable disk.</summary>
    NoDisk = 3,
    /// <summary>The volumes of one side disagree on generations, session or promotions.</summary>
    VolumesDisagree = 4,
    /// <summary>A Primary without disk meets the copy again that it serves.</summary>
    DisklessPrimary = 5,
    /// <summary>The configurations of the sides name different modes.</summary>
    ModesDiffer = 6,
    /// <summary>Both copies were just created.</summary>
    BothNew = 10,
    /// <summary>The peer's copy was just created.</summary>
    PeerNew = 11,
    /// <summary>This copy was just created.</summary>
    SelfNew = 12,
    /// <summary>The metadata of one side is older than what the other one has seen of it.</summary>
    RolledBack = 13,
    /// <summary>The peer went on from this side's current generation.</summary>
    PeerAhead = 20,
    /// <summary>This side went on from the peer's current generation.</summary>
    SelfAhead = 21,
    /// <summary>This side's current generation is in the peer's history.</summary>
    PeerFarAhead = 22,
    /// <summary>The peer's current generation is in this side's history.</summary>
    SelfFarAhead = 23,
    /// <summary>Both went on from the same generation.</summary>
    SplitBrainKnownBase = 24,
    /// <summary>Both went on, from some common past.</summary>
    SplitBrain = 25,
    /// <summary>Nothing in common.</summary>
    Unrelated = 26,
    /// <summary>A split brain, and an operator said which side's copy gives way.</summary>
    SplitBrainResolved = 27,
    /// <summary>A split brain, and the policy of both sides says which side's copy gives way.</summary>
    SplitBrainByPolicy = 28,
    /// <summary>Same generation; an Inconsistent copy.</summary>
    SameInconsistent = 30,
    /// <summary>Same generation; one copy was reverted and needs everything.</summary>
    SameFullSync = 31,
    /// <summary>Same generation; one side is Primary.</summary>
    SamePrimary = 32,
    /// <summary>Same generation; promotions differ.</summary>
    SamePromotions = 33,
    /// <summary>Same generation; one crashed primary.</summary>
    SameCrashed = 34,
    /// <summary>Same generation; one side holds a bitmap generation.</summary>
    SameBitmap = 35,
    /// <summary>Same generation; one side has a non-empty sync set.</summary>
    SameDirty = 36,
    /// <summary>Same generation and nothing to sync.</summary>
    Same = 37,
    /// <summary>Same generation, something to sync, and nothing says from where.</summary>
    SameUndecided = 38,
    /// <summary>The side whose history is ahead has a copy that is not fit to be the source.</summary>
    AheadNotUpToDate = 40,
    /// <summary>The table would overwrite the copy of a Primary.</summary>
    PrimaryWouldBeTarget = 41,
    /// <summary>Both sides are Primary.</summary>
    BothPrimary = 42,
}
