using MirrorD.Core.Handshake;
using MirrorD.Core.Resync;
using MirrorD.Core.Verify;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// Online verify of a joined pair: this side goes through the volumes and compares hashes of both copies. A range is compared
/// while it is held: a client's write holds it until both sides have it, so that nothing is under way in it on either side when
/// both are read, and what the peer was sent before is on its disk. It ends with the link, with each change of role
/// and with the loss of a disk.
/// </summary>
public sealed partial class Replica
{
    private readonly List<VerifyRange> _verifying = new(Limits.VerifyRangesWhenIdle);
    private VerifyRun? _verify;
    private VerifyPicture? _lastVerify;
    private long _verifyAllowance;
    private long _verifyAllowanceAtNs;
    private long _verifyArrivals;
    private bool _verifyIsBusy;

    /// <summary>The running verify, or the last one of this run of the daemon; null before the first.</summary>
    public VerifyPicture? Verify => _verify?.Picture(null, null) ?? _lastVerify;

    /// <summary>Compares both copies, from the first byte to the last; answered once it has begun.</summary>
    /// <param name="repairs">What differs is copied from this node to the peer.</param>
    /// <param name="answer">Says that it has begun and which side wins, or why not.</param>
    public void StartVerify(bool repairs, CommandAnswer answer)
    {
        if (RefusalOfVerify() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        _verify = new VerifyRun([.. _maps.Select(map => map.VolumeBytes)], repairs, _effects.NowNs);
        _verifyAllowance = 0;
        _verifyAllowanceAtNs = _effects.NowNs - VerifyBurstNs;
        string winner = Role == Role.Primary
            ? $"{_settings.NodeName} is Primary, so that its copy counts"
            : $"nobody is Primary, and {_settings.NodeName} was the source when the nodes joined, so that its copy counts";
        string what = repairs
            ? $"{winner}: what differs is written over at {_settings.PeerName}"
            : $"nothing is changed on either; for a repair, {winner}";
        string message = $"comparing {_verify.TotalBytes} bytes with {_settings.PeerName}; {what}";
        _effects.Raise("verify-started", $"{_settings.Resource}: {message}");
        _effects.Changed();
        answer(true, message, null);
        PumpVerify();
        Settle();
    }

    /// <summary>Ends the running verify.</summary>
    public void StopVerify(CommandAnswer answer)
    {
        bool isRunning = _verify is not null;
        EndVerifyEarly("stopped by command");
        answer(true, isRunning ? "the verify has ended" : "no verify was under way on this node", null);
        Settle();
    }

    /// <summary>Joined, and it is the peer that compares.</summary>
    public bool IsForPeerToVerify => Phase == LinkPhase.Joined && !IsVerifyingSide;

    /// <summary>Why <see cref="StartVerify"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfVerify()
    {
        string atPeer = $"mirrorctl verify {_settings.Resource} --node {_settings.PeerName}";
        return Failure is not null ? (Failure, "replace the disk")
            : IsDiskless || _keeps ? ("there is one copy only", "mirrorctl status")
            : Phase != LinkPhase.Joined
                ? ($"{_settings.PeerName} is not joined: {Phase}", "wait until mirrorctl status says Joined")
            : Role == Role.Standby && PeerRole == Role.Primary ? ($"{_settings.PeerName} is Primary and compares", atPeer)
            : Role == Role.Standby && !IsVerifyingSide
                ? ($"nobody is Primary, and {_settings.PeerName}, which was the source when the nodes joined, compares", atPeer)
            : _verify is not null || _verifying.Count > 0
                ? ("a verify is under way already", $"mirrorctl verify {_settings.Resource} --stop")
            : !MayVerify() ? ("another change is under way", "try again")
            : null;
    }

    /// <summary>By the rule of the last handshake, while nobody is Primary.</summary>
    private bool IsVerifyingSide => Role == Role.Primary
        || (PeerRole == Role.Standby && _decision?.SelfIs == HandshakePart.Source);

    private bool MayVerify() =>
        Phase == LinkPhase.Joined && Failure is null && !IsDiskless && !_keeps && State.DiskState == DiskState.UpToDate
        && IsVerifyingSide && (Role == Role.Standby || Path == WritePath.Mirrored)
        && _demotion is null && _detach is null && !_peerIsPromoting && !_stopping;

    /// <summary>Begins ranges as far as the rate and the clients let it; called by the tick and when a range is done.</summary>
    private void PumpVerify()
    {
        if (_verify is null)
        {
            return;
        }

        if (!MayVerify())
        {
            EndVerifyEarly("the state of the resource changed");
            return;
        }

        int window = _sent.Count + _ahead.Count > 0 ? 1 : Limits.VerifyRangesWhenIdle;
        while (_verify is { IsAllBegun: false } run && _verifying.Count < window && HasVerifyAllowance() && BeginRange(run))
        {
        }

        if (_verify is { IsAllBegun: true } && _verifying.Count == 0)
        {
            EndVerify(null);
        }
    }

    /// <summary>By the tick: clients that asked for something since the last one are busy.</summary>
    private void NoteVerifyLoad()
    {
        _verifyIsBusy = _arrivals != _verifyArrivals;
        _verifyArrivals = _arrivals;
    }

    private bool BeginRange(VerifyRun run)
    {
        ResyncCopy? copy = _effects.TryRentCopy();
        if (copy is null)
        {
            return false;
        }

        (copy.Volume, copy.Offset, copy.LengthBytes) = run.Next;
        copy.Link = _link;
        var range = new VerifyRange(copy);
        copy.Verify = range;
        run.Advance();
        _verifyAllowance -= range.LengthBytes;
        _verifying.Add(range);
        if (Canary.Breaks(BrokenRule.VerifyWithoutRangeLock))
        {
            CompareRange(range);
        }
        else if (_ranges.TryAcquire(range))
        {
            VerifyHoldsRange(range);
        }

        return true;
    }

    /// <summary>It is its turn; one that was given up while it waited gives the range on.</summary>
    private void VerifyHoldsRange(VerifyRange range)
    {
        if (range.Stage == VerifyStage.Dropped)
        {
            ReleaseRange(range);
        }
        else
        {
            range.HoldsRange = true;
            CompareRange(range);
        }
    }

    private void CompareRange(VerifyRange range)
    {
        _effects.VerifyStep(range, VerifyOutcome.Begun);
        range.Sequence = ++_sequence;
        range.IsAsked = true;
        range.IsReading = true;
        _busy++;
        _effects.ReadCopy(range.Copy);
        _effects.SendHashQuestion(range.Copy, range.Sequence);
    }

    private void RangeOfVerifyHashed(long sequence, RangeHash? theirs)
    {
        foreach (VerifyRange range in _verifying)
        {
            if (range.IsAsked && range.Sequence == sequence)
            {
                range.IsAsked = false;
                range.Peers = theirs;
                CompareWhenKnown(range);
                return;
            }
        }
    }

    /// <summary>This node's data is in the slot, or can't be read.</summary>
    private void VerifyRead(VerifyRange range, int error)
    {
        range.IsReading = false;
        if (range.Stage == VerifyStage.Dropped)
        {
            _effects.ReturnCopy(range.Copy);
        }

        if (error == Etimedout)
        {
            DropVerified(range);
            DiskFailed("the backing disk did not answer a read for a verify in time");
        }
        else if (range.Stage != VerifyStage.Dropped)
        {
            range.Own = error == 0 ? _effects.HashOf(range.Copy, range.Sequence) : null;
            CompareWhenKnown(range);
        }
    }

    private void CompareWhenKnown(VerifyRange range)
    {
        if (range.IsReading || range.IsAsked)
        {
            return;
        }

        range.Outcome = range.Own is null ? VerifyOutcome.UnreadableHere
            : range.Peers is null ? VerifyOutcome.UnreadableThere
            : range.Own == range.Peers ? VerifyOutcome.Same
            : VerifyOutcome.Differs;
        _effects.VerifyStep(range, range.Outcome);
        VerifyRun run = _verify!;
        TellFirst(run, range);
        run.Note(range);
        if (range.Outcome != VerifyOutcome.Same)
        {
            _effects.Changed();
        }

        if (run.Repairs && range.Outcome is VerifyOutcome.Differs or VerifyOutcome.UnreadableThere && MayVerify())
        {
            MarkForRepair(range);
        }
        else
        {
            DropVerified(range);
            PumpVerify();
        }
    }

    /// <summary>Told at once: the rest may take hours.</summary>
    private void TellFirst(VerifyRun run, VerifyRange range)
    {
        string where = $"{_settings.Resource}: {range.LengthBytes} bytes at {range.Offset} of volume {range.Volume}";
        string rest = $"the verify goes on: mirrorctl status {_settings.Resource}";
        if (range.Outcome == VerifyOutcome.Differs && run.DifferentBytes == 0)
        {
            _effects.Raise("verify-differs", $"{where} differ from the copy of {_settings.PeerName}; {rest}");
        }
        else if (range.Outcome is VerifyOutcome.UnreadableHere or VerifyOutcome.UnreadableThere && run.UnreadableBytes == 0)
        {
            string node = range.Outcome == VerifyOutcome.UnreadableHere ? _settings.NodeName : _settings.PeerName;
            _effects.Raise("verify-unreadable", $"{where} can't be read on {node}: look at its disk; {rest}");
        }
    }

    /// <summary>
    /// The range is given up, with its slot; a read that runs gives that back at its end. One that waits stays in the queue until
    /// its turn: who waits behind it waits for those before it as well.
    /// </summary>
    private void DropVerified(VerifyRange range)
    {
        if (range.Stage == VerifyStage.Dropped)
        {
            return;
        }

        range.Stage = VerifyStage.Dropped;
        _verifying.Remove(range);
        if (!range.IsReading)
        {
            _effects.ReturnCopy(range.Copy);
        }

        if (range.HoldsRange)
        {
            range.HoldsRange = false;
            ReleaseRange(range);
        }
    }

    /// <summary>
    /// What is not sent is given up at once. A copy that the peer may be writing keeps its range, and what waits for quiet
    /// waits for it.
    /// </summary>
    private void EndVerifyEarly(string reason)
    {
        if (_verify is null)
        {
            return;
        }

        EndVerify(reason);
        foreach (VerifyRange range in _verifying.FindAll(r => r.Stage != VerifyStage.Sent))
        {
            DropVerified(range);
        }
    }

    /// <summary>The link is lost: what a repair was copying is in the dirty map since before it was sent.</summary>
    private void VerifyLinkLost()
    {
        EndVerifyEarly("the link was lost");
        foreach (VerifyRange range in _verifying.ToArray())
        {
            _sentCopies.Remove(range.Sequence);
            _busy--;
            DropVerified(range);
        }
    }

    private void EndVerify(string? reason)
    {
        VerifyRun run = _verify!;
        _verify = null;
        VerifyPicture ended = run.Picture(_effects.NowNs, reason);
        _lastVerify = ended;
        string found = $"{ended.ComparedBytes} of {ended.TotalBytes} bytes compared with {_settings.PeerName}, "
            + $"{ended.DifferentBytes} different, {ended.UnreadableBytes} unreadable, {ended.RepairedBytes} repaired";
        if (reason is null)
        {
            _effects.Raise("verify-done", $"{_settings.Resource}: {found}");
        }
        else
        {
            _effects.Raise("verify-ended", $"{_settings.Resource}: {reason}; {found}{PositionIn(run)}");
        }

        if (Phase == LinkPhase.Joined)
        {
            _effects.SendMessage(new PeerMessage.Verified(reason is null, ended.ComparedBytes, ended.DifferentBytes,
                ended.UnreadableBytes, ended.RepairedBytes));
        }

        _effects.Changed();
    }

    private string PositionIn(VerifyRun run)
    {
        // Ranges begin in order: the oldest that is not done says up to where all are.
        if (_verifying.Count > 0)
        {
            return $"; up to {_verifying[0].Offset} of volume {_verifying[0].Volume}";
        }

        return run.IsAllBegun ? "" : $"; up to {run.Next.Offset} of volume {run.Next.Volume}";
    }

    /// <summary>The peer has compared the copies.</summary>
    private void PeerVerified(PeerMessage.Verified told)
    {
        _lastVerify = new VerifyPicture
        {
            IsOwn = false,
            ComparedBytes = told.ComparedBytes,
            DifferentBytes = told.DifferentBytes,
            UnreadableBytes = told.UnreadableBytes,
            RepairedBytes = told.RepairedBytes,
            EndedNs = _effects.NowNs,
            EndedEarly = told.IsComplete ? null : $"ended by {_settings.PeerName}, see there",
        };
        _effects.Changed();
    }
}
