using MirrorD.Core.Volumes;
using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>
/// Writes: the payload is cut into pieces of a slot each; every piece goes to the volume as soon as it is
/// complete.
/// </content>
internal sealed partial class NbdSession
{
    private PendingRequest? _writing;
    private Piece? _filling;
    private int _filledBytes;

    private Step ReadPayload(PendingRequest request)
    {
        if (_filling is null && request.LeftBytes == 0)
        {
            _writing = null;
            ReplyWhenDone(request);
            return Step.Taken;
        }

        if (_filling is null && request.Error != NbdError.None)
        {
            return SkipPayload(request);
        }

        if (_filling is null)
        {
            int bytes = (int)Math.Min(request.LeftBytes, _export!.SlotBytes);
            if (bytes <= SessionLimits.CopiedBytes && _input.AvailableBytes < bytes)
            {
                return Need(bytes);
            }

            if (!TryRentPiece(request, bytes, out Piece piece))
            {
                return Step.Blocked;
            }

            piece.State = PieceState.Filling;
            _filling = piece;
            _filledBytes = 0;
        }

        return Fill(_filling, request);
    }

    private Step Fill(Piece piece, PendingRequest request)
    {
        BufferSlice rest = piece.Io.Data.Slice(_filledBytes, piece.DataBytes - _filledBytes);
        int copied = Math.Min(rest.LengthBytes, _input.AvailableBytes);
        if (copied > 0)
        {
            _input.Peek(copied).CopyTo(rest.Span);
            _input.Consume(copied);
            _filledBytes += copied;
        }

        if (_filledBytes < piece.DataBytes)
        {
            rest = rest.Slice(copied, rest.LengthBytes - copied);
            _receivesIntoSlot = true;
            Receive(rest, rest.LengthBytes);
            return Step.Receives;
        }

        _filling = null;
        long offset = request.NextOffset;
        request.NextOffset += piece.DataBytes;
        if (request.Error != NbdError.None)
        {
            ReleasePiece(piece);
            return Step.Taken;
        }

        request.ReceivedNs = _receivedNs;
        Submit(piece, VolumeOperation.Write, offset, piece.DataBytes, _receivedNs);
        return Step.Taken;
    }

    private void OnReceivedIntoSlot(int result)
    {
        _receivesIntoSlot = false;
        int expected = _filling!.DataBytes - _filledBytes;
        if (_phase != Phase.Closing && result == expected)
        {
            _filledBytes += result;
            return;
        }

        Close(NbdEventKind.Lost, result < 0
            ? ReceiveProblem(result)
            : "closed by the client in the middle of a write");
        if (_filling.State == PieceState.Filling)
        {
            ReleasePiece(_filling);
        }
    }

    /// <summary>
    /// The write was refused or a piece of it failed: the rest of its payload is read and dropped.
    /// </summary>
    private Step SkipPayload(PendingRequest request)
    {
        int bytes = (int)Math.Min(request.LeftBytes, _input.AvailableBytes);
        if (bytes == 0)
        {
            return Need(1);
        }

        _input.Consume(bytes);
        request.NextOffset += bytes;
        return Step.Taken;
    }
}
