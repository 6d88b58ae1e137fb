using MirrorD.Core.Resync;
using MirrorD.Core.Verify;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>The write path of a primary: safety contract, section 2.</summary>
public sealed partial class Replica
{
    private const int Eio = 5;
    private const int Etimedout = 110;

    private readonly RangeLocks _ranges = new();
    private readonly List<IRangeUser> _ready = new(64);
    private readonly List<VolumeRequest> _issued = new(256);

    // Done on the local disk, and held back until the peer has every write that they may have seen.
    private readonly List<VolumeRequest> _readsAhead = new(256);
    private readonly Dictionary<long, VolumeRequest> _sent = new(256);
    private readonly Queue<VolumeRequest> _awaitingRoom = new();
    private readonly Queue<VolumeRequest>[] _awaitingLog;
    private List<VolumeRequest> _held = [];
    private long _arrivals;
    private long _sequence;
    private long _touch;
    private bool _turnEndAsked;

    /// <summary>Requests that are held, neither failed nor completed.</summary>
    public int HeldRequests => _held.Count;

    /// <summary>A client's request arrives.</summary>
    public void Submit(VolumeRequest request)
    {
        request.Arrival = ++_arrivals;
        if (Role != Role.Primary || Failure is not null)
        {
            _effects.Complete(request, Eio);
            return;
        }

        NoteStandstill();
        Begin(request);
        Settle();
    }

    /// <summary>The local disk has done its part; error is a positive errno or 0.</summary>
    public void LocalDone(VolumeRequest request, int error)
    {
        NoteStandstill();
        _busy--;
        request.LocalPending = false;
        if (request.Operation == VolumeOperation.Read)
        {
            NoteLatency(request);
            if (error == Etimedout)
            {
                DiskFailed("the backing disk did not answer a read in time");
            }

            if ((IsDiskless || (error != 0 && IsLinked)) && Role == Role.Primary && Failure is null)
            {
                ReadElsewhere(request, error);
            }
            else if (Path == WritePath.Closed && error == 0 && Role == Role.Primary && Failure is null)
            {
                Hold(request);
            }
            else if (error == 0 && Path == WritePath.Mirrored && SeesWhatPeerMayLack(request))
            {
                request.Sequence = _sequence;
                _readsAhead.Add(request);
            }
            else
            {
                // Nothing is served any more, not even what was read before the right was lost.
                bool isServing = Role == Role.Primary && Failure is null;
                _effects.Complete(request, error == 0 && !isServing ? Eio : error);
            }
        }
        else
        {
            if (error != 0)
            {
                // The peer may have the write: the range counts as different until a resync settles it.
                _maps[request.Volume].MarkRange(request.Offset, request.LengthBytes);
                request.LocalFailed = true;
                DiskFailed($"a write to the backing disk failed with errno {error}");
            }

            FinishOrWait(request);
        }

        PumpDueCopies();
        Settle();
    }

    /// <summary>The peer has completed the mutation with this sequence.</summary>
    public void PeerAcknowledged(long sequence)
    {
        NoteStandstill();
        if (_sent.Remove(sequence, out VolumeRequest? request))
        {
            request.PeerPending = false;
            request.PeerDone = true;
            Withdraw(request);
            FinishOrWait(request);
        }
        else if (_ahead.Remove(sequence) is { } ahead)
        {
            AheadAcknowledged(ahead);
            GoOnThroughPeer();
        }
        else if (_sentCopies.Remove(sequence, out ResyncCopy? copy))
        {
            NoteCopyTime(copy);
            CopyAcknowledged(copy);
        }

        PumpAwaitingPeer();
        PumpDueCopies();
        Settle();
    }

    /// <summary>A log transaction is durable.</summary>
    public void LogStored(int volume, int error)
    {
        _busy--;
        if (error != 0)
        {
            DiskFailed($"writing the activity log failed with errno {error}");
            Settle();
            return;
        }

        _logs[volume].StoreDone();
        NoteEmptyLog();
        Queue<VolumeRequest> waiting = _awaitingLog[volume];
        while (waiting.TryPeek(out VolumeRequest? request) && request.LogTicket <= _logs[volume].DurableThrough)
        {
            waiting.Dequeue();
            Issue(request);
        }

        IssueKeptWrites(volume);
        PumpLog(volume);
        Settle();
    }

    private void Begin(VolumeRequest request)
    {
        if (Phase == LinkPhase.Source)
        {
            _lastRequestNs = _effects.NowNs;
        }

        if (Path == WritePath.Closed)
        {
            Hold(request);
            return;
        }

        switch (request.Operation)
        {
            case VolumeOperation.Read when Path == WritePath.Remote:
                request.ReadError = 0;
                ReadFromPeer(request);
                break;
            case VolumeOperation.Read:
                request.ReadError = 0;
                request.LocalPending = true;
                request.BegunNs = _rate.IsAdaptive ? _effects.NowNs : 0;
                _busy++;
                _effects.SubmitLocal(request);
                break;
            case VolumeOperation.Flush:
                BeginFlush(request);
                break;
            case VolumeOperation.Write or VolumeOperation.Zero or VolumeOperation.Discard:
                BeginMutation(request);
                break;
        }
    }

    private void BeginMutation(VolumeRequest request)
    {
        if (Path == WritePath.Alone && !_generationStarted)
        {
            Hold(request);
            StartGeneration();
            return;
        }

        if (!Canary.Breaks(BrokenRule.OverlapNotSerialised) && !_ranges.TryAcquire(request))
        {
            return;
        }

        request.HoldsRange = true;
        EnterLog(request);
    }

    private void EnterLog(VolumeRequest request)
    {
        if (Path == WritePath.Remote)
        {
            // The peer, whose copy is the only one, keeps the log.
            Issue(request);
            return;
        }

        ActivityEntry entry = _logs[request.Volume].Enter(request.FirstExtent, request.LastExtent, out long ticket);
        if (entry == ActivityEntry.Full)
        {
            _awaitingRoom.Enqueue(request);
            WantCheckpoint();
            return;
        }

        request.InLog = true;
        if (entry == ActivityEntry.Active || Canary.Breaks(BrokenRule.DataBeforeLog))
        {
            Issue(request);
        }
        else
        {
            request.LogTicket = ticket;
            _awaitingLog[request.Volume].Enqueue(request);
        }

        PumpLog(request.Volume);
    }

    /// <summary>
    /// The end of a turn in which <see cref="IReplicaEffects.AskForTurnEnd"/> was called: a transaction begins for all writes
    /// that wait by now, not for the first of them.
    /// </summary>
    public void TurnEnded()
    {
        if (!_turnEndAsked)
        {
            // Of a machine that this one has taken the place of.
            return;
        }

        _turnEndAsked = false;
        _busy--;
        for (int volume = 0; volume < _logs.Length; volume++)
        {
            if (IsStoreDue(volume))
            {
                _busy++;
                _effects.StoreLog(volume, _logs[volume].BeginStore());
            }
        }

        Settle();
    }

    private void PumpLog(int volume)
    {
        if (_logs[volume].WantsCheckpoint)
        {
            WantCheckpoint();
        }

        if (!_turnEndAsked && IsStoreDue(volume))
        {
            _turnEndAsked = true;
            _busy++;
            _effects.AskForTurnEnd();
        }
    }

    private bool IsStoreDue(int volume) => !_logs[volume].IsStoring && _logs[volume].NeedsStore
        && (Path != WritePath.Closed || _keeps) && !IsDiskless && Failure is null;

    private void Issue(VolumeRequest request)
    {
        if (request.Operation == VolumeOperation.Read)
        {
            ReadFromPeer(request);
        }
        else if (TryAdmit(request))
        {
            Start(request);
        }
        else
        {
            _awaitingPeer.Enqueue(request);
        }
    }

    private void Start(VolumeRequest request)
    {
        _issued.Add(request);
        request.BegunNs = _rate.IsAdaptive ? _effects.NowNs : 0;
        request.PeerDone = false;
        request.PeerReceived = false;
        request.LocalFailed = false;
        if (Path == WritePath.Remote)
        {
            request.Sequence = ++_sequence;
            request.PeerPending = true;
            _sent.Add(request.Sequence, request);
            _effects.SendWrite(request, request.Sequence);
            return;
        }

        if (Path == WritePath.Mirrored)
        {
            request.Sequence = ++_sequence;
            request.PeerPending = true;
            _sent.Add(request.Sequence, request);
            if (_settings.Mode == ReplicationMode.Sync || !Canary.Breaks(BrokenRule.AheadNotTracked))
            {
                _unstable.Add(request.Sequence, request.Volume, request.Offset, request.LengthBytes);
            }

            NoteWriteOverCopies(request);
            _effects.SendWrite(request, request.Sequence);
        }
        else
        {
            request.Sequence = 0;
            if (!Canary.Breaks(BrokenRule.AcknowledgedBeforeDirtyBit))
            {
                _maps[request.Volume].MarkRange(request.Offset, request.LengthBytes);
            }
        }

        request.LocalPending = true;
        _busy++;
        _effects.SubmitLocal(request);
    }

    private void FinishOrWait(VolumeRequest request)
    {
        if (request.LocalPending)
        {
            return;
        }

        if (request.PeerPending && !Canary.Breaks(BrokenRule.AcknowledgedBeforeSecondCopy))
        {
            if (MayAnswerAhead(request))
            {
                AnswerAhead(request);
            }

            return;
        }

        if (Role != Role.Primary || Failure is not null)
        {
            Leave(request);
            _effects.Complete(request, Eio);
        }
        else if (!request.LocalFailed && (request.PeerDone || (Path == WritePath.Alone && _generationStarted)
            || (request.PeerPending && Path == WritePath.Mirrored)))
        {
            NoteLatency(request);
            Leave(request);
            _effects.Complete(request, 0);
            CompleteReadsAhead();
            BoundUnstable();
        }
        else
        {
            // Neither mirrored nor allowed alone: it starts again as a new request once that is decided.
            Leave(request);
            _effects.GoesOn(request);
            Begin(request);
        }
    }

    private void BoundUnstable()
    {
        if (_unstable.Bytes >= Limits.UnstableBytes || _unstable.Count >= Limits.UnstableRanges)
        {
            WantCheckpoint();
        }
    }

    /// <summary>
    /// The read may have seen a write that is not on the peer yet. Answered now, its value would vanish if the peer
    /// took over next (safety contract, invariant 3).
    /// </summary>
    private bool SeesWhatPeerMayLack(VolumeRequest read)
    {
        foreach (VolumeRequest other in _issued)
        {
            if (other.PeerPending && !other.PeerReceived
                && other.Volume == read.Volume && other.Offset < read.Offset + read.LengthBytes
                && read.Offset < other.Offset + other.LengthBytes && (read.Sequence == 0 || other.Sequence <= read.Sequence))
            {
                return true;
            }
        }

        return _settings.Mode == ReplicationMode.Async && _ahead.Overlaps(read, read.Sequence == 0 ? long.MaxValue : read.Sequence)
            && !Canary.Breaks(BrokenRule.ReadAheadOfPeer);
    }

    /// <summary>
    /// Reads that waited for nothing but writes that the peer has by now; of those that overlap a range, when given.
    /// </summary>
    private void CompleteReadsAhead(IRangeUser? within = null)
    {
        for (int i = 0; i < _readsAhead.Count;)
        {
            VolumeRequest read = _readsAhead[i];
            bool isElsewhere = within is not null && (read.Volume != within.Volume
                || read.Offset >= within.Offset + within.LengthBytes || within.Offset >= read.Offset + read.LengthBytes);
            if (isElsewhere || SeesWhatPeerMayLack(read))
            {
                i++;
                continue;
            }

            _readsAhead.RemoveAt(i);
            read.Sequence = 0;
            _effects.Complete(read, 0);
        }
    }

    /// <summary>As Remove of the list does, which asks a comparer for each: requests are told apart by reference.</summary>
    private void RemoveIssued(VolumeRequest request)
    {
        for (int i = 0; i < _issued.Count; i++)
        {
            if (ReferenceEquals(_issued[i], request))
            {
                _issued.RemoveAt(i);
                return;
            }
        }
    }

    /// <summary>Gives back what the request holds; those that waited for its range go on.</summary>
    private void Leave(VolumeRequest request)
    {
        RemoveIssued(request);
        if (request.Sequence != 0)
        {
            // Sequences begin anew on each connection: an old one must not name another request.
            _sent.Remove(request.Sequence);
            request.Sequence = 0;
        }

        request.PeerPending = false;
        Withdraw(request);
        if (request.InLog)
        {
            request.InLog = false;
            _logs[request.Volume].Leave(request.FirstExtent, request.LastExtent, ++_touch);
        }

        if (request.HoldsRange)
        {
            request.HoldsRange = false;
            if (!Canary.Breaks(BrokenRule.OverlapNotSerialised))
            {
                ReleaseRange(request);
            }
        }
    }

    private void ReleaseRange(IRangeUser user)
    {
        int from = _ready.Count;
        _ranges.Release(user, _ready);
        while (_ready.Count > from)
        {
            IRangeUser next = _ready[from];
            _ready.RemoveAt(from);
            if (next is ResyncCopy copy)
            {
                copy.HoldsRange = true;
                ReadCopy(copy);
            }
            else if (next is VerifyRange range)
            {
                VerifyHoldsRange(range);
            }
            else
            {
                var request = (VolumeRequest)next;
                request.HoldsRange = true;
                EnterLog(request);
            }
        }
    }

    private void Hold(VolumeRequest request) => _held.Add(request);

    /// <summary>
    /// Closes the write path: everything that has not reached a disk is held; what has is held when its local
    /// part is done (see <see cref="FinishOrWait"/>).
    /// </summary>
    private void Suspend()
    {
        Path = WritePath.Closed;
        CollectHeld();
        _effects.Changed();
    }

    private void CollectHeld()
    {
        foreach (VolumeRequest read in _readsAhead)
        {
            // What it saw may be undone: it is read again.
            read.Sequence = 0;
            Hold(read);
        }

        _readsAhead.Clear();
        var waiting = new List<IRangeUser>();
        _ranges.TakeWaiting(waiting);
        foreach (IRangeUser user in waiting)
        {
            if (user is VolumeRequest request)
            {
                Hold(request);
            }
            else if (user is VerifyRange range)
            {
                DropVerified(range);
            }
            else
            {
                DropCopy((ResyncCopy)user);
            }
        }

        HoldRemoteReads();
        while (_awaitingPeer.TryDequeue(out VolumeRequest? request))
        {
            Leave(request);
            Hold(request);
        }

        while (_awaitingRoom.TryDequeue(out VolumeRequest? request))
        {
            Leave(request);
            Hold(request);
        }

        foreach (Queue<VolumeRequest> queue in _awaitingLog)
        {
            while (queue.TryDequeue(out VolumeRequest? request))
            {
                Leave(request);
                Hold(request);
            }
        }

        HoldFlushes();
        EndVerifyEarly(Phase == LinkPhase.Down ? "the link was lost"
            : Failure is not null || IsDiskless || _detach is not null ? "the disk is out of use" : "the role changes");
    }

    /// <summary>Opens the write path; held requests go on as new ones, in the order in which they arrived.</summary>
    private void Resume(WritePath path)
    {
        Path = path;
        RestoreAddresses();
        List<VolumeRequest> held = _held;
        _held = [];
        held.Sort((a, b) => a.Arrival.CompareTo(b.Arrival));
        for (int i = Canary.Breaks(BrokenRule.HeldRequestForgotten) ? 1 : 0; i < held.Count; i++)
        {
            _effects.GoesOn(held[i]);
            Begin(held[i]);
        }

        _effects.Changed();
    }

    private void FailHeld()
    {
        List<VolumeRequest> held = _held;
        _held = [];
        foreach (VolumeRequest request in held)
        {
            _effects.Complete(request, Eio);
        }
    }
}
