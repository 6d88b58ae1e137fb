using MirrorD.Core.Handshake;
using MirrorD.Core.Verify;

namespace MirrorD.Core.Replication;

/// <summary>
/// Repairs of a verify, and its rate. A range that differs is marked dirty durably, then copied to the peer, then both flush;
/// only then its bits are cleared and the range is given up. Whatever ends in between, the range is in the sync set.
/// </summary>
public sealed partial class Replica
{
    private const long VerifyBurstNs = 200_000_000;

    /// <summary>A copy of a repair is on its way to the peer, or the peer is writing it.</summary>
    private bool IsRepairSent => _verifying.Exists(r => r.Stage == VerifyStage.Sent);

    /// <summary>
    /// While clients ask for something a verify takes a quarter of its rate, or that of <see cref="Limits.VerifyBusyBytes"/>.
    /// </summary>
    private bool HasVerifyAllowance()
    {
        long ceiling = _settings.VerifyBytesPerSecond;
        long rate = !_verifyIsBusy ? ceiling : ceiling <= 0 ? Limits.VerifyBusyBytes : Math.Max(1, ceiling / 4);
        long now = _effects.NowNs;
        if (rate <= 0)
        {
            _verifyAllowance = 0;
            _verifyAllowanceAtNs = now;
            return true;
        }

        // Asked so often that not a byte has come since, the time counts the next time.
        long come = (long)(Math.Min(now - _verifyAllowanceAtNs, VerifyBurstNs) / 1e9 * rate);
        _verifyAllowanceAtNs = come > 0 ? now : _verifyAllowanceAtNs;
        _verifyAllowance = Math.Min(_verifyAllowance + come, (long)(VerifyBurstNs / 1e9 * rate));
        return _verifyAllowance > 0;
    }

    private void MarkForRepair(VerifyRange range)
    {
        range.Stage = VerifyStage.Marking;
        _maps[range.Volume].MarkRange(range.Offset, range.LengthBytes);
        StoreDirty(() =>
        {
            if (range.Stage == VerifyStage.Marking)
            {
                SendRepair(range);
            }
        });
    }

    private void SendRepair(VerifyRange range)
    {
        if (!MayVerify())
        {
            DropVerified(range);
            PumpVerify();
            return;
        }

        range.Stage = VerifyStage.Sent;
        range.Sequence = ++_sequence;
        _busy++;
        _sentCopies.Add(range.Sequence, range.Copy);
        _effects.SendCopy(range.Copy, range.Sequence);
    }

    private void RepairAcknowledged(VerifyRange range)
    {
        _busy--;
        if (_verify is null || !MayVerify())
        {
            // The bits stay: nobody has flushed.
            DropVerified(range);
            PumpVerify();
            return;
        }

        range.Stage = VerifyStage.Flushing;
        AfterCheckpoint(() =>
        {
            if (range.Stage == VerifyStage.Flushing)
            {
                RepairFlushed(range);
            }
        });
    }

    private void RepairFlushed(VerifyRange range)
    {
        _maps[range.Volume].ClearBlocks(range.Copy.FirstBlock, range.Copy.Blocks);
        _verify!.NoteRepaired(range);
        DropVerified(range);
        _effects.Changed();
        PumpVerify();
    }

    /// <summary>
    /// Of two Standbys the one that was the source of their join may repair the other's copy. A Primary's data comes in
    /// as ever.
    /// </summary>
    private bool IsRepairExpected(IncomingWrite write) =>
        write.IsCopy && Phase == LinkPhase.Joined && PeerRole == Formats.Role.Standby
        && _decision?.SelfIs == HandshakePart.Target;
}
