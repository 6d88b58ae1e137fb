namespace MirrorD.Core;

/// <summary>
/// Rules that the simulator breaks on purpose, one at a time, to show that its checkers see it. Compiled to
/// constants that are false except in the simulator's own build (symbol CANARY).
/// </summary>
public enum BrokenRule
{
    /// <summary>Nothing is broken.</summary>
    None,
    /// <summary>Ranges above the durable point are dropped at link loss instead of becoming dirty.</summary>
    InFlightDroppedAtLinkLoss,
    /// <summary>Data is written before its extents are in the durable activity log.</summary>
    DataBeforeLog,
    /// <summary>A write is acknowledged before the second copy has it.</summary>
    AcknowledgedBeforeSecondCopy,
    /// <summary>A flush is not forwarded to the standby.</summary>
    FlushNotForwarded,
    /// <summary>Overlapping writes are not serialised.</summary>
    OverlapNotSerialised,
    /// <summary>A resync copy takes no range lock and may land over a newer write.</summary>
    OlderCopyOverNewerWrite,
    /// <summary>A Standby whose copy is Outdated takes over all the same.</summary>
    TakeoverWhenOutdated,
    /// <summary>The goodbye of another session counts.</summary>
    OldSessionAccepted,
    /// <summary>A Standby takes over although it hears its peer.</summary>
    TakeoverWhilePeerHeard,
    /// <summary>A node that holds a proof stores Outdated when its peer asks for it.</summary>
    OutdatedDespiteProof,
    /// <summary>Service addresses stay when the right to serve is lost.</summary>
    AddressesKeptAfterLoss,
    /// <summary>A kernel's connection counts as ended while requests of it are still taken up.</summary>
    ConnectionReplacedEarly,
    /// <summary>
    /// A block device that an earlier daemon left waits on though the peer was Primary since.
    /// </summary>
    OvertakenDeviceKept,
    /// <summary>Of a write that only the Standby's disk gets nothing is noted there.</summary>
    KeptWriteNotMarked,
    /// <summary>The peer of a Primary without disk goes on in the generation that the failed copy has as well.</summary>
    KeptWithoutGeneration,
    /// <summary>A node says that it stored the loss of its disk although that failed.</summary>
    LossNotStored,
    /// <summary>A Primary without disk goes on with a copy that lost power.</summary>
    ResumedAfterPowerCut,
    /// <summary>Mode async sends without bound.</summary>
    AheadUnbounded,
    /// <summary>Modes memory and async: what was answered ahead does not become dirty at link loss.</summary>
    AheadNotTracked,
    /// <summary>Modes memory and async: a range is given up with the answer, not when the peer is done.</summary>
    AheadRangeGivenUp,
    /// <summary>Modes memory and async: a flush does not wait for the peer.</summary>
    FlushAheadOfPeer,
    /// <summary>Mode memory: a write is answered before the peer has it.</summary>
    MemoryNotAwaited,
    /// <summary>Mode async: a read is answered with what the peer may lack.</summary>
    ReadAheadOfPeer,
    /// <summary>Modes memory and async: the standby of a crashed primary counts as in mode sync.</summary>
    CrashedAheadIsTarget,
    /// <summary>A takeover does not wait until what was received is applied.</summary>
    TakeoverBeforeApplied,
    /// <summary>A Standby takes a right from its peer before its disk has what it received.</summary>
    RightBeforeApplied,
    /// <summary>The end of a split brain copies only what the source has changed.</summary>
    DiscardedChangesKept,
    /// <summary>A policy gives a copy up that has changed, as if it had not.</summary>
    PolicyDiscardsChanged,
    /// <summary>What a volume grows by is not in the sync set.</summary>
    GrownAreaClean,
    /// <summary>The simulated arbiter grants every claim.</summary>
    ArbiterGrantsBoth,
    /// <summary>A write that only this disk has is acknowledged without a dirty bit.</summary>
    AcknowledgedBeforeDirtyBit,
    /// <summary>A node that has its proof acknowledges alone without a generation of its own.</summary>
    AcknowledgedBeforeGeneration,
    /// <summary>A flush that waits for the peer when the link is lost is answered with success.</summary>
    DegradedFlushWithoutProof,
    /// <summary>A Primary that lost its peer stores a new generation while it still looks for its proof.</summary>
    GenerationBeforeProof,
    /// <summary>The source tells the target to commit (J5) before its own commit (J4) is stored.</summary>
    TargetCommitsFirst,
    /// <summary>The source keeps "peer excluded" when it stores a new session.</summary>
    ProofKeptOverSession,
    /// <summary>An Outdate reply counts whenever it comes, for whichever session it was given.</summary>
    LateOutdateReplyAccepted,
    /// <summary>A resync clears its bits when the target has the copy, without any flush.</summary>
    BitClearedOnAcknowledgement,
    /// <summary>A resync clears also the bits of copies that ended after the flush had been issued.</summary>
    CopyClearedByEarlierFlush,
    /// <summary>A Primary that serves alone goes on doing so during a handshake.</summary>
    ServedDuringHandshake,
    /// <summary>A target that is about to be overwritten stores Outdated, not Inconsistent.</summary>
    TargetNotInconsistent,
    /// <summary>An extent leaves the activity log as soon as nothing is in flight in it.</summary>
    LogExtentFreedEarly,
    /// <summary>A superblock slot counts although its checksum is wrong.</summary>
    TornSlotAccepted,
    /// <summary>A page of the dirty map whose checksum is wrong counts as clean.</summary>
    DamagedPageReadAsClean,
    /// <summary>
    /// A handshake does not wait for what the lost link left under way: it lands once more, after its replay.
    /// </summary>
    ReplayAppliedTwice,
    /// <summary>Of two copies the older one is the source.</summary>
    OlderCopyIsSource,
    /// <summary>A Primary that crashed is the source, also when its peer went on without it.</summary>
    CrashedPrimaryIsSource,
    /// <summary>A node without peer and without any proof is promoted as if it were by force.</summary>
    LoneBootPromotes,
    /// <summary>One of the requests that were held is never taken up again.</summary>
    HeldRequestForgotten,
    /// <summary>A Standby that is disconnected says goodbye and ends the link before it has stored Outdated.</summary>
    DisconnectedBeforeOutdated,
    /// <summary>A copy that is thrown away is told so, and the link ended, before it is stored.</summary>
    InvalidatedBeforeStored,
    /// <summary>A verify compares ranges in which writes are under way.</summary>
    VerifyWithoutRangeLock,
}

/// <summary>Which rule is broken in this process.</summary>
public static class Canary
{
#if CANARY
    /// <summary>Set by the simulator.</summary>
    public static BrokenRule Broken { get; set; }

    /// <summary>True when this rule is to be broken.</summary>
    public static bool Breaks(BrokenRule rule) => Broken == rule;
#else
    /// <summary>True when this rule is to be broken; never in this build.</summary>
    public static bool Breaks(BrokenRule rule) => false;
#endif
}
