namespace MirrorD.Engine.Control;

/// <summary>Why the role of a node changed, or was to change.</summary>
public enum RoleRecordKind
{
    /// <summary>The peer was lost, and this node takes over by itself.</summary>
    Takeover,
    /// <summary>
    /// This node becomes Primary while nobody is: an operator promotes it, or the role was its own.
    /// </summary>
    Promotion,
    /// <summary>The role moves from one living node to the other, by command; on either node.</summary>
    Switchover,
    /// <summary>The role is given up by command, or with a planned stop.</summary>
    Release,
    /// <summary>The right to serve was lost.</summary>
    Loss,
}

/// <summary>One phase of a change of role.</summary>
/// <param name="Name">
/// detect, pre-acquire, probe, promote, exports, addresses, post-acquire; or pre-release, addresses, exports,
/// role, post-release.
/// </param>
/// <param name="StartNs">Loop time of its begin.</param>
/// <param name="TookNs">How long it took.</param>
public sealed record RolePhase(string Name, long StartNs, long TookNs);

/// <summary>How one change of role went, made when it has ended.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Reason">Why, or what went wrong: one sentence without full stop.</param>
/// <param name="Succeeded">The role is as intended, and so is what stands above it.</param>
/// <param name="Phases">In the order in which they began.</param>
public sealed record RoleRecord(
    RoleRecordKind Kind, string Reason, bool Succeeded, IReadOnlyList<RolePhase> Phases);
