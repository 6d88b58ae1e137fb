using MirrorD.Core.Metadata;
using MirrorD.Core.Resync;
using MirrorD.Core.Verify;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Replication;

/// <summary>
/// What a replica asks of the engine around it. None of these calls back before it returns; each completion comes
/// back as an event of <see cref="Replica"/>, or through the callback given. Errors are positive errno values.
/// </summary>
public interface IReplicaEffects
{
    /// <summary>Present time of the loop in nanoseconds.</summary>
    long NowNs { get; }

    /// <summary>A fresh identifier, never used before, not zero.</summary>
    ulong NewIdentifier();

    /// <summary>A request that was held, or has to be done anew, begins now: for whoever measures.</summary>
    void GoesOn(VolumeRequest request)
    {
    }

    /// <summary>Runs a read or mutation on the local disk → <see cref="Replica.LocalDone"/>.</summary>
    void SubmitLocal(VolumeRequest request);

    /// <summary>Sends a mutation under its sequence → <see cref="Replica.PeerAcknowledged"/>.</summary>
    void SendWrite(VolumeRequest request, long sequence);

    /// <summary>Asks the peer for a range under this number → <see cref="Replica.RemoteReadDone"/>.</summary>
    void SendRead(VolumeRequest request, long number);

    /// <summary>Writes what the peer had into the range that could not be read → <see cref="Replica.Repaired"/>.</summary>
    void RepairLocal(VolumeRequest request);

    /// <summary>Flushes every backing disk → <see cref="Replica.LocalFlushed"/>.</summary>
    void FlushLocal();

    /// <summary>Asks the peer to flush everything up to the sequence → <see cref="Replica.PeerDurable"/>.</summary>
    void SendFlush(long throughSequence);

    /// <summary>Gives the request back to its client.</summary>
    void Complete(VolumeRequest request, int error);

    /// <summary>
    /// Has <see cref="Replica.TurnEnded"/> follow when all that has happened by now was told, and before the next wait.
    /// </summary>
    void AskForTurnEnd();

    /// <summary>Writes one log transaction durably → <see cref="Replica.LogStored"/>.</summary>
    void StoreLog(int volume, ReadOnlySpan<uint> extents);

    /// <summary>Writes all changed pages of the maps durably, then calls back.</summary>
    void StoreDirty(ReadOnlySpan<DirtyMap> maps, Action<int> stored);

    /// <summary>Writes the superblock of each volume, both slots, durably, then calls back.</summary>
    void StoreSuperblocks(IReadOnlyList<Superblock> next, Action<int> stored);

    /// <summary>
    /// Looks at the disk again: the most data that it has room for beside the metadata, in whole blocks; where more was
    /// to be expected, also what is in the way, and the remedy.
    /// </summary>
    long FindRoom(int volume, out string? obstacle);

    /// <summary>The most data that the volume can have without <see cref="MakeRoom"/>.</summary>
    long RoomBytes(int volume);

    /// <summary>
    /// Puts the metadata where the volume can have so much data, not above <see cref="FindRoom"/>, then calls back. A crash
    /// on the way leaves it where it was or where it goes. After an error the disk can't be trusted.
    /// </summary>
    void MakeRoom(int volume, long dataBytes, Action<int> made);

    /// <summary>Clients may use the new size of the volumes (<see cref="Replica.ServedBytes"/>).</summary>
    void VolumesGrew();

    /// <summary>A copy with a free slot, or null: then <see cref="Replica.CopySlotFree"/> follows.</summary>
    ResyncCopy? TryRentCopy();

    /// <summary>The copy's data is no longer needed (its bookkeeping may be).</summary>
    void ReturnCopy(ResyncCopy copy);

    /// <summary>
    /// Reads the copy's range into its slot, and notes whether it is all zeroes → <see cref="Replica.CopyRead"/>.
    /// </summary>
    void ReadCopy(ResyncCopy copy);

    /// <summary>Sends the copy, without data when it is all zeroes, under its sequence → <see cref="Replica.PeerAcknowledged"/>.</summary>
    void SendCopy(ResyncCopy copy, long sequence);

    /// <summary>Asks the peer for the hash of the copy's range under this sequence → <see cref="Replica.PeerHashed"/>.</summary>
    void SendHashQuestion(ResyncCopy copy, long sequence);

    /// <summary>Hash of what was read into the copy's slot, as the peer makes it for the question with this sequence.</summary>
    RangeHash HashOf(ResyncCopy copy, long sequence);

    /// <summary>
    /// Reads a range and sends its hash, or that it can't be read; then → <see cref="Replica.RangeHashed"/>.
    /// </summary>
    void HashRange(IncomingRead question);

    /// <summary>Tells the peer that the range can't be read here.</summary>
    void RefuseHash(IncomingRead question);

    /// <summary>Applies a received mutation to the local disk → <see cref="Replica.IncomingDone"/>.</summary>
    void ApplyIncoming(IncomingWrite write);

    /// <summary>A received mutation is given up: it will neither be applied nor acknowledged.</summary>
    void DropIncoming(IncomingWrite write);

    /// <summary>Reads a range for the peer, and sends it what was found.</summary>
    void ServeRead(IncomingRead read);

    /// <summary>Tells the peer that the range can't be read here.</summary>
    void RefuseRead(IncomingRead read);

    /// <summary>A range of a verify is held, or was compared and is still held: for whoever watches.</summary>
    void VerifyStep(VerifyRange range, VerifyOutcome outcome);

    /// <summary>Acknowledges a received mutation.</summary>
    void SendAcknowledgement(long sequence);

    /// <summary>In mode memory: a client's mutation has been received, and is being applied.</summary>
    void SendReceived(long sequence);

    /// <summary>Everything received up to the sequence is durable here.</summary>
    void SendDurable(long throughSequence);

    /// <summary>Sends a control message, in order with the data frames.</summary>
    void SendMessage(PeerMessage message);

    /// <summary>
    /// Closes the link after what was sent before has left → <see cref="Replica.LinkLost"/>.
    /// <paramref name="operatorNeeded"/>: reconnect only seldom.
    /// </summary>
    void CloseLink(string reason, bool operatorNeeded);

    /// <summary>
    /// Takes a snapshot of all volumes' data in place of an older one → <see cref="Replica.SnapshotEnded"/> with the same link,
    /// also when it can't be taken. With <paramref name="keeps"/> it is one that stays until an operator removes it.
    /// </summary>
    void TakeSnapshot(int link, bool keeps);

    /// <summary>The snapshot is not needed any more; there may be none.</summary>
    void DropSnapshot();

    /// <summary>Claims the session at the arbiter → <see cref="Replica.ArbiterAnswered"/>.</summary>
    void ClaimSession(SessionId session);

    /// <summary>
    /// Sends a message of the control channel over every path; never in order with the link. Lost ones are sent again.
    /// </summary>
    void SendControl(ControlMessage message);

    /// <summary>
    /// Asks for evidence about this node's production network → <see cref="Replica.GatewayAnswered"/> with the question's number.
    /// </summary>
    void AskGateway(long question);

    /// <summary>
    /// This Standby may take over: begin the steps, of which <see cref="Replica.Promote"/> (automatic) is one
    /// → <see cref="Replica.TakeoverEnded"/>. <paramref name="resumes"/>: the role is its own anyway, by the rules
    /// of a join or as it was Primary before; else the peer is lost. <paramref name="reason"/>: what is known, in words,
    /// without full stop.
    /// </summary>
    void TakeOver(string reason, bool resumes);

    /// <summary>
    /// The joined Standby is better placed: this Primary hands over, with all the steps of a release
    /// → <see cref="Replica.SwitchOverNotBegun"/> when it can't be begun.
    /// </summary>
    void SwitchOver(string reason);

    /// <summary>
    /// A Primary that surely is the isolated one removes its service addresses, and gets them back when it serves again.
    /// </summary>
    void WantAddresses(bool wanted, string reason);

    /// <summary>The role changed; the first thing that outsiders are told.</summary>
    void RoleChanged(Role role, string reason);

    /// <summary>The peer's operator asks for the role.</summary>
    void PeerRequestsRole();

    /// <summary>Something happened; kind is a stable name.</summary>
    void Raise(string kind, string message);

    /// <summary>The picture changed: publish it soon.</summary>
    void Changed();
}
