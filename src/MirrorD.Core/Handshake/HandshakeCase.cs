namespace MirrorD.Core.Handshake;

/// <summary>Rows of the handshake table (safety contract, section 4). Values go over the wire.</summary>
public enum HandshakeCase : byte
{
    /// <summary>Sizes or number of volumes differ.</summary>
    DifferentShape = 1,
    /// <summary>Both Primary: the one without proof demotes first; both with proof: no connection.</summary>
    TwoPrimaries = 2,
    /// <summary>The side that would be target is Primary and holds a proof.</summary>
    PrimaryWouldBeTarget = 3,
    /// <summary>Both just created.</summary>
    BothNew = 4,
    /// <summary>The peer was just created.</summary>
    PeerNew = 5,
    /// <summary>This side was just created.</summary>
    SelfNew = 6,
    /// <summary>One side's metadata is older than what the other has seen of it.</summary>
    RolledBack = 7,
    /// <summary>S = Pb.</summary>
    PeerAhead = 8,
    /// <summary>Sb = P.</summary>
    SelfAhead = 9,
    /// <summary>S in the peer's history.</summary>
    PeerFarAhead = 10,
    /// <summary>P in this side's history.</summary>
    SelfFarAhead = 11,
    /// <summary>Ahead, but not UpToDate while the other side is, or Inconsistent.</summary>
    AheadNotUpToDate = 12,
    /// <summary>Sb = Pb: both went on from a known base.</summary>
    SplitBrainKnownBase = 13,
    /// <summary>Some common generation.</summary>
    SplitBrain = 14,
    /// <summary>Nothing in common.</summary>
    Unrelated = 15,
    /// <summary>S = P, one side Inconsistent.</summary>
    SameInconsistent = 16,
    /// <summary>S = P, both Inconsistent.</summary>
    SameBothInconsistent = 17,
    /// <summary>S = P, one side is Primary.</summary>
    SamePrimary = 18,
    /// <summary>S = P, promotions differ.</summary>
    SamePromotions = 19,
    /// <summary>S = P, exactly one crashed primary.</summary>
    SameCrashed = 20,
    /// <summary>S = P, one side holds a bitmap generation.</summary>
    SameBitmap = 21,
    /// <summary>S = P, one side has a non-empty dirty set.</summary>
    SameDirty = 22,
    /// <summary>S = P and nothing to sync.</summary>
    Same = 23,
    /// <summary>S = P, still undecided with something to sync.</summary>
    SameUndecided = 24,
    /// <summary>One side says that its copy must be copied as a whole.</summary>
    FullSyncNeeded = 25,
}
