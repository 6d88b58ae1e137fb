namespace MirrorD.Core.Failover;

/// <summary>Row of <see cref="FailoverTable"/> that applies. Names are shown to operators.</summary>
public enum FailoverCase
{
    /// <summary>The link decides, not this table.</summary>
    Linked,

    // Primary without link.

    /// <summary>It goes on alone under its proof.</summary>
    PrimaryHasProof,
    /// <summary>Its own copy does not count: no proof is sought for it.</summary>
    PrimaryNotUpToDate,
    /// <summary>The peer can be asked: its stored Outdated is the proof.</summary>
    PrimaryAsksPeer,
    /// <summary>Too early to call the paths lost.</summary>
    PrimaryWaitsForPaths,
    /// <summary>Both networks lost: the arbiter decides.</summary>
    PrimaryAsksArbiter,
    /// <summary>
    /// The peer was heard as Primary since the link was lost: it has taken over, and no policy leads on.
    /// </summary>
    PrimaryPeerServes,
    /// <summary>Both networks lost, on-peer-loss: continue.</summary>
    PrimaryContinues,
    /// <summary>Both networks lost, on-peer-loss: freeze.</summary>
    PrimaryFreezes,
    /// <summary>Both networks lost, on-peer-loss: auto, the gateway is being asked.</summary>
    PrimaryAsksGateway,
    /// <summary>Both networks lost, on-peer-loss: auto, the gateway answers.</summary>
    PrimaryHasGateway,
    /// <summary>
    /// Both networks lost, on-peer-loss: auto, no gateway answers: this node may be the isolated one.
    /// </summary>
    PrimaryIsolated,

    // Standby without link.

    /// <summary>autoswitch is off.</summary>
    StandbyAutoswitchOff,
    /// <summary>Its copy is not UpToDate: never promoted without force.</summary>
    StandbyNotUpToDate,
    /// <summary>An operator has disconnected it, and the role was not its own: it takes nothing over by itself.</summary>
    StandbyDisconnected,
    /// <summary>
    /// It was Primary before its daemon ended, and holds a proof or can ask the peer, a Standby, for one.
    /// </summary>
    StandbyResumes,
    /// <summary>The peer lives: no takeover while a path is up.</summary>
    StandbyPeerLives,
    /// <summary>Too early to call the paths lost.</summary>
    StandbyWaitsForPaths,
    /// <summary>It holds a proof of its session: it may serve.</summary>
    StandbyHasProof,
    /// <summary>The nodes have never joined: nothing to take over.</summary>
    StandbyNeverJoined,
    /// <summary>Both were Standby when the link was lost: nobody served.</summary>
    StandbyNobodyServed,
    /// <summary>Without arbiter: not joined, with all paths up, since this daemon started.</summary>
    StandbyNotEligible,
    /// <summary>Its own production carrier is gone: it is the one that is cut off.</summary>
    StandbyHasNoCarrier,
    /// <summary>Its own gateway does not answer: it is the one that is cut off.</summary>
    StandbyHasNoGateway,
    /// <summary>The gateway is being asked.</summary>
    StandbyAsksGateway,
    /// <summary>takeover-delay, or the time in which the old Primary notices.</summary>
    StandbyWaits,
    /// <summary>It takes over.</summary>
    StandbyTakesOver,
}

/// <summary>What is to be done now.</summary>
public enum FailoverAction
{
    /// <summary>Nothing; requests of a Primary without right stay held.</summary>
    Wait,
    /// <summary>Ask the peer, over every path, to store Outdated.</summary>
    AskPeer,
    /// <summary>Claim the session at the arbiter.</summary>
    Claim,
    /// <summary>Ask the gateway.</summary>
    AskGateway,
    /// <summary>Store the proof that the policy gives.</summary>
    GoOnByPolicy,
    /// <summary>Hold requests and remove the service addresses.</summary>
    WithdrawAddresses,
    /// <summary>Begin the steps of a takeover.</summary>
    TakeOver,
}

/// <summary>What <see cref="FailoverTable"/> decided.</summary>
public readonly record struct FailoverDecision(FailoverCase Case, FailoverAction Action);
