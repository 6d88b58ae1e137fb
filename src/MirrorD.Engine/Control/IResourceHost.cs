using MirrorD.Core.Failover;
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

    /// <summary>Does what may wait for memory on another thread, and then something on the loop.</summary>
    void DoElsewhere(Action work, Action done);

    /// <summary>
    /// Runs the hooks of a step, one after the other, each with a deadline, up to the first failure. One step at
    /// a time.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="role">Role told to the hooks.</param>
    /// <param name="ended">Null when all succeeded; else what failed and how, without full stop.</param>
    void RunHooks(HookStep step, Role role, Action<string?> ended);

    /// <summary>Kills the hook that runs, if any: its step then ends with a failure.</summary>
    void CancelHooks();

    /// <summary>Lets clients in, and puts the block devices in place.</summary>
    /// <param name="done">
    /// What failed, one sentence each, and is tried again; empty when all is there. A device may be late without
    /// holding this up for ever.
    /// </param>
    void OpenExports(Action<IReadOnlyList<string>> done);

    /// <summary>Volumes are larger than before; whoever has them open as a block device can use it.</summary>
    void VolumesGrew()
    {
    }

    /// <summary>
    /// Lets nobody in from the call on, ends all sessions and takes the block devices away, also from whoever uses
    /// them: done when that has happened, or a deadline passed. Wins over an opening that runs. Also called
    /// of what an earlier daemon left, when this node must not go on with it.
    /// </summary>
    void CloseExports(Action done);

    /// <summary>Lets clients read the copies of this node, one for each volume, in their order.</summary>
    /// <returns>Null, or what failed: nothing of it is left open after <see cref="CloseCopies"/>.</returns>
    string? OpenCopies(IReadOnlyList<IVolumeFrontend> copies) => "this host can't open copies for reading";

    /// <summary>
    /// Ends what <see cref="OpenCopies"/> began, connections too. The copies answer no read with data any more by then.
    /// </summary>
    /// <param name="reason">For the log.</param>
    void CloseCopies(string reason)
    {
    }

    /// <summary>
    /// Who uses the block devices: mounts, device mapper, swap, programs that have them open. While this daemon has none in
    /// place also those that an earlier one left, and those that were taken away while somebody used them.
    /// </summary>
    /// <param name="answered">
    /// One clause each, as "/dev/mirrord/mail/data is mounted at /srv/mail"; empty when they can be taken away.
    /// </param>
    void FindDeviceUsers(Action<IReadOnlyList<string>> answered);

    /// <summary>
    /// Adds all service addresses and announces them, unless <see cref="RemoveAddresses"/> is called before that
    /// happens. What can't be added is tried again while the others are held.
    /// </summary>
    /// <param name="done">What failed, one sentence each; empty when all are held.</param>
    void AddAddresses(Action<IReadOnlyList<string>> done);

    /// <summary>
    /// Removes all service addresses; wins over an addition that runs. Tried again until they are gone: done then.
    /// </summary>
    void RemoveAddresses(Action done);

    /// <summary>Asks whether somebody else answers for a service address, as configured.</summary>
    /// <param name="answered">
    /// Null when nobody does; else a clause that names address and holder, as "192.0.2.7 is held by 02:00:…", or why
    /// nobody could be asked.
    /// </param>
    void ProbeAddresses(Action<string?> answered);

    /// <summary>Asks the configured gateways of the production network.</summary>
    void ProbeGateway(Action<GatewayEvidence> answered);

    /// <summary>
    /// The resource's loop stands still, or moves again; called by the watch's thread, since the loop can't say it.
    /// While it stands still its service addresses go.
    /// </summary>
    void StuckChanged(bool isStuck);

    /// <summary>A change of role has ended.</summary>
    void RoleRecorded(RoleRecord record);

    /// <summary>The status changed; the latest picture wins.</summary>
    void Publish(ResourceStatus status);

    /// <summary>Something happened.</summary>
    void Raise(ResourceEvent happened);
}
