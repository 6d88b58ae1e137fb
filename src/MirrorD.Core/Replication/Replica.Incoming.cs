using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>What a standby or target does with what the primary or source sends.</summary>
public sealed partial class Replica
{
    private readonly ReceivedSequences _received = new();
    private long _flushAsked = -1;
    private bool _servingPeerFlush;
    private long _servingThrough;
    private int _servingLink;
    private int _applying;

    /// <summary>
    /// The disk has everything that was received. Before, no right is asked for: in mode memory clients may have been told
    /// of what is here in memory only, and the peer, whose copy has it, would be given up. Should this process or its disk
    /// end then, it would be on no copy that counts.
    /// </summary>
    private bool HasAppliedReceived => _applying == 0 || Canary.Breaks(BrokenRule.RightBeforeApplied)
        || Canary.Breaks(BrokenRule.TakeoverBeforeApplied);

    /// <summary>A mutation arrived. Null when it was taken; else why it breaks the protocol.</summary>
    public string? IncomingArrived(IncomingWrite write)
    {
        bool isExpected = (Phase == LinkPhase.Target && _step >= JoinStep.SourceReady)
            || (Phase == LinkPhase.Joined && PeerRole == Role.Primary) || IsRepairExpected(write);
        if (_saysFarewell)
        {
            // Being stored; nobody is told that it was applied.
            _effects.DropIncoming(write);
            return null;
        }

        if (!isExpected || Role != Role.Standby || Failure is not null)
        {
            return $"data for a node that is {Role} and {Phase}";
        }

        if ((uint)write.Volume >= (uint)_maps.Length || write.Operation is not (VolumeOperation.Write or VolumeOperation.Zero)
            || write.Offset < 0 || write.LengthBytes <= 0
            || write.Offset > _maps[write.Volume].VolumeBytes - write.LengthBytes
            || ((write.Offset | write.LengthBytes) & 511) != 0)
        {
            return $"range {write.Offset}+{write.LengthBytes} of volume {write.Volume} does not exist";
        }

        if (!_received.TryReceive(write.Sequence))
        {
            return $"sequence {write.Sequence} after {_received.Received}";
        }

        write.Link = _link;
        write.InLog = false;
        _applying++;
        _busy += Canary.Breaks(BrokenRule.ReplayAppliedTwice) ? 0 : 1;
        if (_keeps && !Canary.Breaks(BrokenRule.KeptWriteNotMarked))
        {
            EnterKept(write);
            return null;
        }

        _effects.ApplyIncoming(write);
        if (_settings.Mode == ReplicationMode.Memory && !_keeps && !write.ForceUnitAccess && !write.IsCopy)
        {
            _effects.SendReceived(write.Sequence);
        }

        return null;
    }

    /// <summary>The local disk has taken a received mutation.</summary>
    public void IncomingDone(IncomingWrite write, int error)
    {
        _applying--;
        _busy -= Canary.Breaks(BrokenRule.ReplayAppliedTwice) ? 0 : 1;
        LeaveKept(write);
        if (error != 0)
        {
            Fail($"a write to the backing disk failed with errno {error}");
        }
        else if (write.Link == _link && Failure is null)
        {
            _received.Completed(write.Sequence);
            _effects.SendAcknowledgement(write.Sequence);
            PumpPeerFlush();
        }
        else if (!IsLinked && HasAppliedReceived)
        {
            GoOnWithRoleCommand();
        }

        Settle();
    }

    /// <summary>The peer asks to flush everything up to the sequence. Null, or why it breaks the protocol.</summary>
    public string? IncomingFlush(long throughSequence)
    {
        if (_saysFarewell)
        {
            return null;
        }

        if (Phase is not (LinkPhase.Target or LinkPhase.Joined) || Role != Role.Standby)
        {
            return $"a flush for a node that is {Role} and {Phase}";
        }

        if (throughSequence > _received.Received)
        {
            return $"a flush up to {throughSequence} when {_received.Received} were sent";
        }

        _flushAsked = Math.Max(_flushAsked, throughSequence);
        PumpPeerFlush();
        return null;
    }

    private void PumpPeerFlush()
    {
        if (_servingPeerFlush || _passLocalPending || _flushAsked < 0 || _received.Prefix < _flushAsked || Failure is not null)
        {
            return;
        }

        _servingPeerFlush = true;
        _servingThrough = _received.Prefix;
        _servingLink = _link;
        _flushAsked = -1;
        _busy++;
        _effects.FlushLocal();
    }

    private void PeerFlushServed(int error)
    {
        _servingPeerFlush = false;
        if (error != 0)
        {
            Fail($"flushing the backing disk failed with errno {error}");
            return;
        }

        if (_servingLink == _link && IsLinked)
        {
            _effects.SendDurable(_servingThrough);
        }

        PumpPeerFlush();
        PumpFlush();
    }

    private void ForgetIncoming()
    {
        // Writes of the lost link may still land; the next handshake waits for them (WhenQuiet).
        _flushAsked = -1;
        DropKeptWrites();
        _received.Forget();
    }
}
