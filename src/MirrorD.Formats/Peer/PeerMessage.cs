using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Peer;

/// <summary>
/// A control message of the peer link (docs/internals/peer-protocol.md). Each carries the link's session in
/// its frame header and a keyed MAC; data frames (write, copy, flush, acknowledgement) are not messages.
/// </summary>
public abstract record PeerMessage
{
    private PeerMessage()
    {
    }

    /// <summary>J0: what this side has stored, encoded by the handshake codec.</summary>
    public sealed record Facts(ReadOnlyMemory<byte> Encoded) : PeerMessage;

    /// <summary>J0: the decision that this side came to; must mirror the other one.</summary>
    /// <param name="Case">Number of the handshake case.</param>
    /// <param name="Action">Number of the action.</param>
    /// <param name="SelfIs">Number of this side's part.</param>
    public sealed record Decision(byte Case, byte Action, byte SelfIs) : PeerMessage;

    /// <summary>
    /// Source to target: store J1. For a full sync the source has durably marked everything dirty since
    /// <paramref name="Base"/>, which the target takes as its current generation, so that an interrupted full
    /// sync goes on as a bitmap sync.
    /// </summary>
    public sealed record Begin(bool IsFull, Generation Base) : PeerMessage;

    /// <summary>Target to source: one page of its dirty map, to be merged.</summary>
    public sealed record DirtyPage(int Volume, int Page, ReadOnlyMemory<byte> Bits) : PeerMessage;

    /// <summary>Target to source: J1 is stored, and the dirty map has been sent.</summary>
    public sealed record TargetReady : PeerMessage;

    /// <summary>Source to target: J2 is stored; data follows.</summary>
    public sealed record SourceReady(long SyncBytes) : PeerMessage;

    /// <summary>Source to target: J4 is stored; store J5 with these.</summary>
    public sealed record Commit(
        Guid ResourceId, Generation Current, IReadOnlyList<Generation> History, ulong Promotions,
        ulong Sequence)
        : PeerMessage;

    /// <summary>Target to source: J5 is stored.</summary>
    public sealed record Committed : PeerMessage;

    /// <summary>Source to target: J6 is stored; both are joined.</summary>
    public sealed record Finished : PeerMessage;

    /// <summary>Role of the sender changed while connected.</summary>
    public sealed record RoleNotice(Role Role, ulong Promotions) : PeerMessage;

    /// <summary>
    /// A connected Standby asks to become Primary. <paramref name="IsAutomatic"/>: by rule, not by command.
    /// </summary>
    public sealed record RoleClaim(bool IsAutomatic) : PeerMessage;

    /// <summary>Answer to a claim: the answering side stays Standby, or says why not.</summary>
    public sealed record RoleAnswer(bool Agreed, string Reason) : PeerMessage;

    /// <summary>The operator of the sender wants the role there: please hand over.</summary>
    public sealed record RequestRole : PeerMessage;

    /// <summary>The sender was Primary, has drained, flushed both sides and stored Standby.</summary>
    public sealed record HandOver(ulong Promotions) : PeerMessage;

    /// <summary>The sender has stored that it is Primary after a hand-over.</summary>
    public sealed record HandOverDone : PeerMessage;

    /// <summary>
    /// Planned stop. <paramref name="IsOutdated"/>: the sender has stored Outdated for the session and
    /// generation, so the receiver may go on alone.
    /// </summary>
    public sealed record Goodbye(bool IsOutdated, SessionId Session, Generation Current) : PeerMessage;

    /// <summary>
    /// The sender uses its disks no more. <paramref name="IsStored"/>: it has stored, durably, that its copy does not
    /// count. A Primary asks the receiver to note that its copy is the only one; a Standby says farewell.
    /// </summary>
    public sealed record DiskLost(bool IsStored, SessionId Session, Generation Current) : PeerMessage;

    /// <summary>
    /// To a Primary without disk: the sender's copy is the only one, entitled and marked since this generation, so that
    /// requests may go through it; none: it can't be.
    /// </summary>
    public sealed record DiskLossNoted(Generation Current) : PeerMessage;

    /// <summary>The sender's operator has paused resyncs, or not (any more).</summary>
    public sealed record SyncPause(bool IsPaused) : PeerMessage;

    /// <summary>The sender has ended a verify: what it found, for the receiver to show.</summary>
    /// <param name="IsComplete">Both copies were compared as a whole.</param>
    /// <param name="ComparedBytes">Bytes that were compared, or could not be read.</param>
    /// <param name="DifferentBytes">Bytes of ranges that differ.</param>
    /// <param name="UnreadableBytes">Bytes of ranges that one side or both could not read.</param>
    /// <param name="RepairedBytes">Bytes of both kinds that were copied to the receiver.</param>
    public sealed record Verified(
        bool IsComplete, long ComparedBytes, long DifferentBytes, long UnreadableBytes, long RepairedBytes) : PeerMessage;

    /// <summary>
    /// The sender, a Primary, is to be disconnected: please store Outdated and say goodbye; the sender then ends the link.
    /// </summary>
    public sealed record LeaveAsk : PeerMessage;

    /// <summary>To a Primary that asked: this copy can't be Outdated now; why.</summary>
    public sealed record LeaveRefused(string Reason) : PeerMessage;

    /// <summary>
    /// The sender, a Standby, is about to throw its copy away: may it? Then the receiver keeps its own. Or not any more.
    /// </summary>
    public sealed record InvalidateAsk(bool IsWanted) : PeerMessage;

    /// <summary>The sender's copy is UpToDate and stays; or why the receiver has to keep its own. Empty: it may.</summary>
    public sealed record InvalidateAnswer(string Reason) : PeerMessage;

    /// <summary>
    /// The sender's operator grows volumes to these sizes in bytes, 0 where one stays as it is: please make room, for exactly
    /// that, or for less where there is not so much. The answer has the same number: no other one counts.
    /// </summary>
    public sealed record GrowAsk(ulong Number, bool IsExact, IReadOnlyList<long> DataBytes) : PeerMessage;

    /// <summary>Sizes that the sender has made room for, 0 where it has none, and why; none at all: it can't now.</summary>
    public sealed record GrowAnswer(ulong Number, IReadOnlyList<long> DataBytes, string Reason) : PeerMessage;
}
