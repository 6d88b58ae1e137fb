using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// Flush passes: one at a time; a pass flushes the local disks and, while mirrored, the peer up to the last
/// sequence. Requests that arrive during a pass share the next one. A checkpoint is a pass that also makes the
/// dirty map durable, so that extents may leave the activity log and copies may clear their bits.
/// </summary>
public sealed partial class Replica
{
    private readonly UnstableRanges _unstable = new();
    private readonly List<VolumeRequest> _flushWaiting = new(64);
    private readonly List<VolumeRequest> _flushing = new(64);
    private bool _checkpointWanted;
    private bool _passRunning;
    private bool _passLocalPending;
    private bool _passPeerPending;
    private bool _passDirtyPending;
    private bool _passStoresDirty;
    private bool _passIsVoid;
    private long _passSequence;
    private long _passTouch;
    private int _passCopies;
    private bool _peerHasFlushed;
    private readonly List<Action> _afterPass = [];
    private readonly List<Action> _passActions = [];
    private long _durable;

    /// <summary>Every backing disk is flushed, or one could not be.</summary>
    public void LocalFlushed(int error)
    {
        NoteStandstill();
        _busy--;
        if (_servingPeerFlush)
        {
            PeerFlushServed(error);
        }
        else
        {
            _passLocalPending = false;
            if (error != 0)
            {
                DiskFailed($"flushing the backing disk failed with errno {error}");
            }

            PassProgress();
            PumpPeerFlush();
        }

        Settle();
    }

    /// <summary>The peer has flushed everything up to the sequence.</summary>
    public void PeerDurable(long sequence)
    {
        if (sequence > _sequence)
        {
            _effects.CloseLink($"protocol error: durable {sequence} of {_sequence} sent", operatorNeeded: false);
            return;
        }

        NoteStandstill();
        _peerHasFlushed = true;
        _durable = Math.Max(_durable, sequence);
        _unstable.DurableThrough(_durable);
        if (_passRunning && _passPeerPending && !_passIsVoid && _durable >= _passSequence)
        {
            _passPeerPending = false;
            PassProgress();
        }

        Settle();
    }

    private void BeginFlush(VolumeRequest request)
    {
        _flushWaiting.Add(request);
        PumpFlush();
    }

    private void WantCheckpoint()
    {
        _checkpointWanted = true;
        PumpFlush();
    }

    private void PumpFlush()
    {
        if (_passRunning || _servingPeerFlush || Failure is not null
            || (IsDiskless && Path != WritePath.Remote && _afterPass.Count == 0)
            || (Path == WritePath.Closed && !_copiesNeedPass && _afterPass.Count == 0 && !_keeps)
            || (_flushWaiting.Count == 0 && !_checkpointWanted))
        {
            return;
        }

        if (Path == WritePath.Alone && !_generationStarted && _flushWaiting.Count > 0)
        {
            // What it covers may not be durable on the peer: completing it alone needs the generation.
            HoldFlushes();
            StartGeneration();
            return;
        }

        _passRunning = true;
        _passIsVoid = false;
        _flushing.AddRange(_flushWaiting);
        _flushWaiting.Clear();
        _passActions.AddRange(_afterPass);
        _afterPass.Clear();
        _passStoresDirty = _checkpointWanted || !HasChangedPages;
        _checkpointWanted = false;
        _passTouch = _touch;
        for (int volume = 0; _passStoresDirty && volume < _logs.Length; volume++)
        {
            _logs[volume].CheckpointBegins();
        }

        _passSequence = _sequence;
        _passCopies = _copied.Count;
        if (!IsDiskless)
        {
            _passLocalPending = true;
            _busy++;
            _effects.FlushLocal();
        }

        _passPeerPending = IsSending && (_durable < _passSequence || !_peerHasFlushed)
            && !Canary.Breaks(BrokenRule.FlushNotForwarded)
            && (_settings.Mode == ReplicationMode.Sync || !Canary.Breaks(BrokenRule.FlushAheadOfPeer));
        if (_passPeerPending)
        {
            _effects.SendFlush(_passSequence);
        }

        _passDirtyPending = _passStoresDirty && HasChangedPages && !IsDiskless;
        if (_passDirtyPending)
        {
            StoreDirty(() =>
            {
                _passDirtyPending = false;
                PassProgress();
            });
        }

        if (IsDiskless)
        {
            // With nothing sent since the last flush there is nothing to wait for.
            PassProgress();
        }
    }

    /// <summary>A pass does not wait for a map that the disk did not take.</summary>
    private void DirtyNotStored()
    {
        _passDirtyPending = false;
        PassProgress();
    }

    private bool IsSending => Path is WritePath.Mirrored or WritePath.Remote
        || (Path == WritePath.Closed && Phase is LinkPhase.Source or LinkPhase.Joined && !_keeps);

    private void PassProgress()
    {
        if (!_passRunning || _passLocalPending)
        {
            return;
        }

        if (!_passPeerPending && !_passIsVoid && Failure is null)
        {
            // Clients wait for both disks, not for the map: the log still covers what it would hold.
            foreach (VolumeRequest request in _flushing)
            {
                _effects.Complete(request, Role == Role.Primary ? 0 : Eio);
            }

            _flushing.Clear();
        }

        if (_passDirtyPending || (_passPeerPending && !_passIsVoid))
        {
            return;
        }

        // Whatever the end of the pass sets off may begin the next one: this one's requests go first.
        _passRunning = false;
        HoldOrFail(_flushing);
        if (!_passIsVoid && Failure is null)
        {
            PassDone();
        }

        PumpFlush();
    }

    private void PassDone()
    {
        // Copies and requests that go on may begin the next pass, which overwrites what this one noted.
        bool storedDirty = _passStoresDirty;
        Action[] after = _passActions.ToArray();
        _passActions.Clear();
        if (storedDirty)
        {
            foreach (ActivityLog log in _logs)
            {
                log.CleanThrough = _passTouch;
            }
        }

        CopiesFlushed(Canary.Breaks(BrokenRule.CopyClearedByEarlierFlush) ? _copied.Count : _passCopies);
        for (int waiting = storedDirty ? _awaitingRoom.Count : 0; waiting > 0; waiting--)
        {
            EnterLog(_awaitingRoom.Dequeue());
        }

        for (int waiting = storedDirty ? _keptAwaitingRoom.Count : 0; waiting > 0; waiting--)
        {
            EnterKept(_keptAwaitingRoom.Dequeue());
        }

        foreach (Action action in after)
        {
            action();
        }
    }

    /// <summary>
    /// Runs a checkpoint that begins from now on, also while the write path is closed; dropped when the link changes.
    /// </summary>
    private void AfterCheckpoint(Action action)
    {
        _afterPass.Add(action);
        WantCheckpoint();
    }

    /// <summary>A running pass no longer counts: its requests start again with the write path.</summary>
    private void HoldFlushes()
    {
        if (Canary.Breaks(BrokenRule.DegradedFlushWithoutProof))
        {
            _passPeerPending = false;
            PassProgress();
        }

        _passIsVoid = true;
        _afterPass.Clear();
        _passActions.Clear();
        HoldOrFail(_flushWaiting);
        HoldOrFail(_flushing);
        PassProgress();
    }

    private void HoldOrFail(List<VolumeRequest> requests)
    {
        foreach (VolumeRequest request in requests)
        {
            if (Role == Role.Primary && Failure is null)
            {
                Hold(request);
            }
            else
            {
                _effects.Complete(request, Eio);
            }
        }

        requests.Clear();
    }
}
