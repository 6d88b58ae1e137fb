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
    /// <summary>Replies and goodbyes of another session count.</summary>
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
    /// <summary>The simulated arbiter grants every claim.</summary>
    ArbiterGrantsBoth,
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
