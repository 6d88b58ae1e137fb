using MirrorD.Formats;

namespace MirrorD.Engine.Control;

/// <summary>Answer of an arbiter to a claim.</summary>
public enum ArbiterAnswer
{
    /// <summary>No arbiter is configured.</summary>
    None,
    /// <summary>The session's key names this node.</summary>
    Granted,
    /// <summary>The session's key names the other node.</summary>
    Refused,
    /// <summary>Unreachable or unclear.</summary>
    Unreachable,
}

/// <summary>
/// What a resource needs of the daemon around it: things that need a process, a file or the network stack.
/// Called on the loop's thread; answers come back on the loop's thread (the host posts them).
/// </summary>
public interface IResourceHost
{
    /// <summary>True when an arbiter is configured.</summary>
    bool HasArbiter { get; }

    /// <summary>One-shot claim of the session for this node: create-if-absent.</summary>
    void ClaimSession(string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered);

    /// <summary>
    /// A fresh identifier that has never been used (random in production, seeded in simulation), not zero.
    /// </summary>
    ulong NewIdentifier();

    /// <summary>
    /// Fills with unpredictable bytes: challenges of the peer link. Seeded in simulation.
    /// </summary>
    void FillRandom(Span<byte> bytes);

    /// <summary>
    /// The right to serve was lost, or the role changed otherwise than by a command of this daemon: addresses go
    /// first, then exports. The resource has already stopped completing requests.
    /// </summary>
    void RoleChanged(Role role, string reason);

    /// <summary>
    /// The joined peer asks for the Primary role (its operator ran a switchover): release what stands above and
    /// then command <see cref="ResourceCommand.HandOver"/>.
    /// </summary>
    void PeerRequestsRole();

    /// <summary>The status changed; the latest picture wins.</summary>
    void Publish(ResourceStatus status);

    /// <summary>Something happened.</summary>
    void Raise(ResourceEvent happened);
}
