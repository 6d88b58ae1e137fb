using MirrorD.Core;
using MirrorD.Core.Volumes;
using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>
/// The transmission phase: requests are taken from the input in order and validated before anything is done.
/// A read that still needs slots, a write that still needs data and a block status hold up the requests
/// behind them, never those before them; so whatever the session waits for is in the hands of somebody who
/// goes on.
/// </content>
internal sealed partial class NbdSession
{
    private RequestCheck _check;

    private void BeginTransmission(NbdExport export)
    {
        _memory.Lend(this, _options.MaxRequestsPerSession);
        _check = new RequestCheck((ulong)export.Volume.LengthBytes, (uint)export.Volume.BlockBytes,
            (uint)export.SlotBytes, _structuredReplies, _allocationContextOf == export, export.Volume.IsReadOnly);
    }

    private Step ReadRequest()
    {
        if (_writing is not null)
        {
            return ReadPayload(_writing);
        }

        if (_reading is not null)
        {
            return IssueRead(_reading);
        }

        if (_asking is not null)
        {
            return Step.Blocked;
        }

        if (_input.AvailableBytes < NbdRequestHeader.SizeBytes)
        {
            return Need(NbdRequestHeader.SizeBytes);
        }

        // A request needs one piece at least; taking it up only when there is one keeps the readers simple.
        if (_memory.FreeRequests.Count == 0 || _memory.FreePieces.Count == 0)
        {
            return Step.Blocked;
        }

        if (!NbdRequestHeader.TryDecode(_input.Peek(NbdRequestHeader.SizeBytes), out NbdRequestHeader header))
        {
            Violation("a request without its magic");
            return Step.Taken;
        }

        _input.Consume(NbdRequestHeader.SizeBytes);
        BeginRequest(header);
        return Step.Taken;
    }

    private void BeginRequest(in NbdRequestHeader header)
    {
        if (header.Command == NbdCommand.Disconnect)
        {
            Finish("disconnected by the client");
            return;
        }

        if (header.Command == NbdCommand.Write && header.LengthBytes > SessionLimits.ConsumedPayloadBytes)
        {
            Violation($"a write of {header.LengthBytes} bytes, " +
                $"more than {SessionLimits.ConsumedPayloadBytes}");
            return;
        }

        // The volume may have grown since: the kernel's device goes on in the same session.
        _check = _check with { ExportBytes = (ulong)_export!.Volume.LengthBytes };
        NbdError error = _check.Refuse(header, out string text);
        PendingRequest request = _memory.FreeRequests.Pop();
        _requestsInUse++;
        request.Begin(header, error, text, _receivedNs);
        if (header.Command == NbdCommand.Write)
        {
            // Also when refused: the payload comes in any case.
            _amongLargeWrites = header.LengthBytes > SessionLimits.CopiedBytes;
            _writing = request;
            return;
        }

        _amongLargeWrites = false;
        if (error != NbdError.None)
        {
            _replies.Enqueue(request);
            return;
        }

        switch (header.Command)
        {
            case NbdCommand.Read:
                _reading = request;
                break;
            case NbdCommand.Flush:
                SubmitFlush(request);
                break;
            case NbdCommand.Trim:
            case NbdCommand.WriteZeroes:
                BeginRange(request);
                break;
            case NbdCommand.Cache:
                _replies.Enqueue(request);
                break;
            case NbdCommand.BlockStatus:
                BeginBlockStatus(request);
                break;
            case NbdCommand.Write:
            case NbdCommand.Disconnect:
            default:
                Invariant.Require(false, "every valid command is carried out");
                break;
        }
    }

    /// <param name="piece">What carries it.</param>
    /// <param name="operation">What is asked.</param>
    /// <param name="offset">Byte offset.</param>
    /// <param name="lengthBytes">Bytes.</param>
    /// <param name="sinceNs">When it was here as a whole, or the part before it done.</param>
    private void Submit(Piece piece, VolumeOperation operation, long offset, long lengthBytes, long sinceNs)
    {
        IoRequest io = piece.Io;
        io.Times.ReceivedNs = sinceNs;
        io.Times.DecidedNs = 0;
        NbdCommandFlags flags = piece.Request.Header.Flags;
        io.Operation = operation;
        io.Offset = offset;
        io.LengthBytes = lengthBytes;
        io.ForceUnitAccess = io.IsMutation && (flags & NbdCommandFlags.ForceUnitAccess) != 0;
        io.MayUnmap = operation == VolumeOperation.Zero && (flags & NbdCommandFlags.NoHole) == 0;
        io.Error = 0;
        piece.State = PieceState.InVolume;
        piece.Request.PiecesInVolume++;
        _export!.Volume.Submit(io);
    }

    /// <summary>The volume has done a piece of this session.</summary>
    public void OnVolumeDone(Piece piece)
    {
        bool wasRunning = _running;
        _running = true;
        Invariant.Require(piece.State == PieceState.InVolume, "the volume completes a request once");
        piece.State = PieceState.Ready;
        piece.Request.PiecesInVolume--;
        piece.Request.DecidedNs = piece.Io.Times.DecidedNs;
        if (_phase == Phase.Closing)
        {
            ReleasePiece(piece);
        }
        else
        {
            OnPieceDone(piece, piece.Request);
        }

        _running = wasRunning;
        Run();
    }

    private void OnPieceDone(Piece piece, PendingRequest request)
    {
        switch (piece.Io.Operation)
        {
            case VolumeOperation.Read:
                OnReadDone(piece, request);
                break;
            case VolumeOperation.Write:
                FailOnError(piece, request, "the write failed");
                ReleasePiece(piece);
                ReplyWhenDone(request);
                break;
            case VolumeOperation.Flush:
                FailOnError(piece, request, "the flush failed");
                ReleasePiece(piece);
                ReplyWhenDone(request);
                break;
            case VolumeOperation.Zero:
            case VolumeOperation.Discard:
                OnRangeDone(piece, request);
                break;
            default:
                Invariant.Require(false, "the volume hands back what it was given");
                break;
        }
    }

    private static void FailOnError(Piece piece, PendingRequest request, string text)
    {
        if (piece.Io.Error != 0)
        {
            request.Fail(ErrorOf(piece.Io.Error), text);
        }
    }

    private void ReplyWhenDone(PendingRequest request)
    {
        if (request.LeftBytes == 0 && request.Pieces == 0)
        {
            _replies.Enqueue(request);
        }
    }

    /// <summary>The protocol's value for an errno; what it does not know is EIO.</summary>
    private static NbdError ErrorOf(int errno) => errno switch
    {
        0 => NbdError.None,
        Errno.EPERM or Errno.EACCES => NbdError.NotPermitted,
        Errno.ENOMEM => NbdError.NoMemory,
        Errno.EINVAL => NbdError.Invalid,
        Errno.ENOSPC => NbdError.NoSpace,
        Errno.EOVERFLOW => NbdError.Overflow,
        Errno.EOPNOTSUPP => NbdError.NotSupported,
        Errno.ESHUTDOWN => NbdError.Shutdown,
        _ => NbdError.InputOutput,
    };
}
