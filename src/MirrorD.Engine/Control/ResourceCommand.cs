namespace MirrorD.Engine.Control;

/// <summary>What an operator or the daemon asks of a resource: run on its loop, with the steps around the role.</summary>
public abstract record ResourceCommand
{
    private ResourceCommand()
    {
    }

    /// <summary>
    /// Become Primary by rule. With <paramref name="Force"/>: also without proof and from an Outdated copy
    /// (never while the peer is joined as Primary); stores the operator's override.
    /// </summary>
    /// <param name="Force">See above.</param>
    /// <param name="Automatic">
    /// Nobody asked for it: this node takes over from a lost Primary. Claims at the arbiter; without arbiter stores
    /// the proof that the policy gives, and only where this node is eligible.
    /// </param>
    public sealed record Promote(bool Force, bool Automatic = false) : ResourceCommand;

    /// <summary>Become Standby: drains, flushes both sides, empties the log, stores it.</summary>
    public sealed record Demote : ResourceCommand;

    /// <summary>
    /// On the Primary: hand the role over to the joined Standby, losslessly. Completes when the peer has stored
    /// that it is Primary.
    /// </summary>
    public sealed record HandOver : ResourceCommand;

    /// <summary>On the Standby: ask the Primary to hand over. Completes when this node is Primary.</summary>
    public sealed record RequestRole : ResourceCommand;

    /// <summary>Change roles with the peer: <see cref="HandOver"/> on the Primary, else <see cref="RequestRole"/>.</summary>
    public sealed record Switchover : ResourceCommand;

    /// <summary>
    /// Take this node's disks of the resource out of use. A Primary goes on through its joined peer's.
    /// </summary>
    public sealed record Detach : ResourceCommand;

    /// <summary>Take the disks of a Standby into use again; a resync follows as the stored states demand.</summary>
    public sealed record Attach : ResourceCommand;

    /// <summary>In a split brain: this Standby's copy gives way, and the peer brings it up to date.</summary>
    public sealed record DiscardCopy : ResourceCommand;

    /// <summary>Let clients read the copies of this Standby as they are; nothing is ever written through it.</summary>
    public sealed record OpenCopy : ResourceCommand;

    /// <summary>End <see cref="OpenCopy"/>; it ends by itself before anything else is written to these copies.</summary>
    public sealed record CloseCopy : ResourceCommand;

    /// <summary>On a Standby whose resync was interrupted for good: go back to the snapshot from before it.</summary>
    public sealed record Revert : ResourceCommand;

    /// <summary>No resync copies anything until <see cref="ResumeSync"/> or the end of the daemon; writes go on to both.</summary>
    public sealed record PauseSync : ResourceCommand;

    /// <summary>Resyncs go on, as far as this node is concerned.</summary>
    public sealed record ResumeSync : ResourceCommand;

    /// <summary>
    /// Compare both copies of a joined pair, on the Primary (or the side that was the source, when there is none);
    /// answered once that has begun.
    /// </summary>
    /// <param name="Repair">What differs is copied from this node to the peer.</param>
    /// <param name="Scheduled">Both nodes ask for it: where it is for the peer to begin, nothing is done, and that is well.</param>
    public sealed record Verify(bool Repair = false, bool Scheduled = false) : ResourceCommand;

    /// <summary>End the verify that this node runs.</summary>
    public sealed record StopVerify : ResourceCommand;

    /// <summary>Grow a volume, or all that have room, after the disks were enlarged on both nodes.</summary>
    /// <param name="Volume">Its name; null: all.</param>
    /// <param name="SizeBytes">Its new size; null: as large as both nodes have room for.</param>
    public sealed record Resize(string? Volume = null, long? SizeBytes = null) : ResourceCommand;

    /// <summary>
    /// End the link as planned and take it up no more, also after a restart: a Standby stores Outdated first, a Primary
    /// has its Standby store that; refused where something would freeze.
    /// </summary>
    public sealed record Disconnect : ResourceCommand;

    /// <summary>Take up the link again after <see cref="Disconnect"/>.</summary>
    public sealed record Connect : ResourceCommand;

    /// <summary>On a joined Standby: throw this copy away; the peer brings a whole new one.</summary>
    public sealed record Invalidate : ResourceCommand;

    /// <summary>The former peer is gone for good; the machine that answers in its place is the peer from now on.</summary>
    public sealed record ReplacePeer : ResourceCommand;

    /// <summary>Planned stop of this node's daemon: a Standby stores Outdated where the rules allow and says goodbye.</summary>
    /// <param name="HandsOver">A Primary first hands the role over to its joined peer.</param>
    public sealed record Stop(bool HandsOver = false) : ResourceCommand;
}

/// <summary>How a command ended.</summary>
/// <param name="Succeeded">It was carried out.</param>
/// <param name="Message">One sentence: what was done, or what is wrong.</param>
/// <param name="Remedy">On failure: the command or action that resolves it, when there is one.</param>
public sealed record CommandOutcome(bool Succeeded, string Message, string? Remedy = null);
