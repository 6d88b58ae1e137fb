using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Core.Replication;
using MirrorD.Core.Resync;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>Carries out what the replica asks for, and brings it the completions.</summary>
public sealed partial class ReplicatedResource : IReplicaEffects
{
    private readonly Action<IoOperation> _localDone;
    private readonly Action<IoOperation> _copyDone;
    private readonly Action _drainCompletions;
    private readonly Action _turnEnded;
    private readonly Action _copySlotReturned;
    private bool _copySlotAwaited;
    private readonly IoOperation[] _flushes;
    private readonly Action<int>[] _logStored;
    private readonly Queue<(IoRequest Request, int Error)> _completions = new(256);
    private bool _isDraining;
    private bool _drainPosted;
    private bool _isSubmitting;
    private int _flushesPending;
    private int _flushError;

    long IReplicaEffects.NowNs => _loop.NowNs;

    ulong IReplicaEffects.NewIdentifier() => _host.NewIdentifier();

    /// <summary>A client's request.</summary>
    internal void Submit(IoRequest request)
    {
        EndRest();
        NoteHanded(request);
        _isSubmitting = true;
        _replica!.Submit(request);
        _isSubmitting = false;
        _turnNs = 0;
        if (_completions.Count > 0 && !_isDraining && !_drainPosted)
        {
            // A request is never completed before its submission has returned.
            _drainPosted = true;
            _loop.Post(_drainCompletions);
        }
    }

    void IReplicaEffects.SubmitLocal(VolumeRequest request)
    {
        var io = (IoRequest)request;
        io.Local ??= new IoOperation(_localDone, io);
        io.IsFlushing = false;
        NoteIssued(io);
        IDisk disk = _options.Volumes[io.Volume].Data;
        switch (io.Operation)
        {
            case VolumeOperation.Read:
                _loop.Read(disk, io.Offset, io.Data, io.Local);
                break;
            case VolumeOperation.Write:
                _loop.Write(disk, io.Offset, io.Data, io.ForceUnitAccess, io.Local);
                break;
            case VolumeOperation.Zero:
                _loop.Zero(disk, io.Offset, io.LengthBytes, io.MayUnmap, io.Local);
                break;
            case VolumeOperation.Discard:
                // Passed on as zeroes, so that both copies hold the same afterwards.
                _loop.Zero(disk, io.Offset, io.LengthBytes, true, io.Local);
                break;
            case VolumeOperation.Flush:
                Invariant.Require(false, "a flush goes through a flush pass");
                break;
        }
    }

    private void LocalDone(IoOperation operation)
    {
        var io = (IoRequest)operation.State!;
        int error = ErrorOf(operation, io.Operation is VolumeOperation.Read or VolumeOperation.Write
            ? (int)io.LengthBytes : 0);
        bool needsFlush = io.ForceUnitAccess && io.Operation is VolumeOperation.Zero or VolumeOperation.Discard;
        if (error == 0 && needsFlush && io.ForceUnitAccess && !io.IsFlushing)
        {
            io.IsFlushing = true;
            _loop.Flush(_options.Volumes[io.Volume].Data, operation);
            return;
        }

        if (io.Operation == VolumeOperation.Read && operation.Kind == OperationKind.Write)
        {
            _replica!.Repaired(io, error);
        }
        else
        {
            NoteLocalDone(io);
            _replica!.LocalDone(io, error);
        }

        AfterEvent();
    }

    private static int ErrorOf(IoOperation operation, int expected) =>
        operation.Result < 0 ? -operation.Result
        : operation.Kind is OperationKind.Read or OperationKind.Write && operation.Result != expected ? Errno.EIO
        : 0;

    void IReplicaEffects.FlushLocal()
    {
        Invariant.Require(_flushesPending == 0, "one flush of the disks at a time");
        _flushError = 0;
        _flushesPending = _flushes.Length;
        for (int i = 0; i < _flushes.Length; i++)
        {
            _loop.Flush(_options.Volumes[i].Data, _flushes[i]);
        }
    }

    private void FlushDone(IoOperation operation)
    {
        _flushError = operation.Result < 0 ? -operation.Result : _flushError;
        if (--_flushesPending == 0)
        {
            _replica!.LocalFlushed(_flushError);
            AfterEvent();
        }
    }

    void IReplicaEffects.Complete(VolumeRequest request, int error)
    {
        MirroredVolume volume = _volumes[request.Volume]!;
        volume.Reads += request.Operation == VolumeOperation.Read ? 1 : 0;
        volume.Writes += request.IsMutation ? 1 : 0;
        var io = (IoRequest)request;
        NoteDecided(io, error);
        _completions.Enqueue((io, error));
    }

    /// <summary>Ends every turn of this resource: clients get their requests, never from inside the replica.</summary>
    private void AfterEvent()
    {
        if (!_isSubmitting)
        {
            _turnNs = 0;
            DrainCompletions();
            CloseWhatIsOvertaken();
            NoteDisconnects();
            CloseCopyThatChanges();
            if (_rests && !IsAtRest)
            {
                EndRest();
            }
        }
    }

    private void DrainCompletions()
    {
        _drainPosted = false;
        if (_isDraining)
        {
            return;
        }

        _isDraining = true;
        while (_completions.TryDequeue(out (IoRequest Request, int Error) completion))
        {
            completion.Request.Decide(completion.Error);
        }

        _isDraining = false;
    }

    void IReplicaEffects.AskForTurnEnd() => _loop.Post(_turnEnded);

    private void TurnEnded()
    {
        _replica!.TurnEnded();
        AfterEvent();
    }

    void IReplicaEffects.StoreLog(int volume, ReadOnlySpan<uint> extents) =>
        _stores[volume].StoreActivityLog(extents, _logStored[volume]);

    private void LogStored(int volume, int error)
    {
        _replica!.LogStored(volume, error);
        AfterEvent();
    }

    void IReplicaEffects.StoreDirty(ReadOnlySpan<DirtyMap> maps, Action<int> stored)
    {
        Action<int> one = Gather(maps.Length, stored);
        for (int i = 0; i < maps.Length; i++)
        {
            _stores[i].StoreDirtyPages(maps[i], one);
        }
    }

    void IReplicaEffects.StoreSuperblocks(IReadOnlyList<Superblock> next, Action<int> stored)
    {
        Action<int> one = Gather(next.Count, stored);
        for (int i = 0; i < next.Count; i++)
        {
            _stores[i].StoreSuperblock(next[i], one);
        }
    }

    /// <summary>Several completions as one, with the first error.</summary>
    private Action<int> Gather(int count, Action<int> done)
    {
        int missing = count;
        int firstError = 0;
        return error =>
        {
            firstError = firstError != 0 ? firstError : error;
            if (--missing == 0)
            {
                done(firstError);
                AfterEvent();
            }
        };
    }

    ResyncCopy? IReplicaEffects.TryRentCopy()
    {
        if (_copyBuffers.TryRent(out IoBuffer? slot))
        {
            return new CopyIo(slot, _copyBuffers.Return);
        }

        // Once: each of many would be told of the same slot, and wait again.
        if (!_copySlotAwaited)
        {
            _copySlotAwaited = true;
            _copyBuffers.WhenReturned(_copySlotReturned);
        }

        return null;
    }

    private void CopySlotFree()
    {
        _copySlotAwaited = false;
        _replica!.CopySlotFree();
        AfterEvent();
    }

    void IReplicaEffects.ReturnCopy(ResyncCopy copy) => ((CopyIo)copy).Return();

    void IReplicaEffects.ReadCopy(ResyncCopy copy)
    {
        var io = (CopyIo)copy;
        _loop.Read(_options.Volumes[copy.Volume].Data, copy.Offset, io.Data, new IoOperation(_copyDone, io));
    }

    private void CopyDone(IoOperation operation)
    {
        var io = (CopyIo)operation.State!;
        int error = ErrorOf(operation, (int)io.LengthBytes);
        io.IsZero = error == 0 && !io.Data.Span.ContainsAnyExcept((byte)0);
        _replica!.CopyRead(io, error);
        AfterEvent();
    }

    void IReplicaEffects.SendWrite(VolumeRequest request, long sequence)
    {
        var io = (IoRequest)request;
        NoteIssued(io);
        _sentTimes.Note(sequence, io.Volume, io.Times.IssuedNs);
        _connection?.SendWrite(io, sequence,
            copies: _options.Mode == ReplicationMode.Async && _replica!.Path == WritePath.Mirrored && !request.ForceUnitAccess);
    }

    void IReplicaEffects.SendCopy(ResyncCopy copy, long sequence) => _connection?.SendCopy((CopyIo)copy, sequence);

    void IReplicaEffects.SendFlush(long throughSequence) =>
        _connection?.SendSequence(PeerFrameType.Flush, throughSequence);

    void IReplicaEffects.SendAcknowledgement(long sequence) =>
        _connection?.SendAcknowledgement(sequence, _appliedNs);

    void IReplicaEffects.SendReceived(long sequence) =>
        _connection?.SendSequence(PeerFrameType.Received, sequence);

    void IReplicaEffects.SendDurable(long throughSequence) =>
        _connection?.SendSequence(PeerFrameType.Durable, throughSequence);

    void IReplicaEffects.SendMessage(PeerMessage message) => _connection?.SendMessage(message);

    void IReplicaEffects.CloseLink(string reason, bool operatorNeeded)
    {
        if (operatorNeeded)
        {
            _link.SlowDown();
        }

        _connection?.CloseAfterSending(reason);
    }

    void IReplicaEffects.ClaimSession(SessionId session) =>
        _host.ClaimSession(Name, session, _options.Node, answer =>
        {
            _replica!.ArbiterAnswered(session, answer switch
            {
                ArbiterAnswer.Granted => ClaimAnswer.Granted,
                ArbiterAnswer.Refused => ClaimAnswer.Refused,
                ArbiterAnswer.None or ArbiterAnswer.Unreachable => ClaimAnswer.Unreachable,
            });
            AfterEvent();
        });

    void IReplicaEffects.RoleChanged(Role role, string reason)
    {
        if (role == Role.Primary)
        {
            // Nobody shall ever go back to before what is served from here.
            _options.Snapshots?.Drop();
        }

        _roles.RoleChanged(role, reason);
    }

    void IReplicaEffects.PeerRequestsRole() => _roles.PeerRequestsRole();

    void IReplicaEffects.Raise(string kind, string message) =>
        _host.Raise(new ResourceEvent(_loop.NowNs, kind, message));

    void IReplicaEffects.Changed() => Changed();
}
