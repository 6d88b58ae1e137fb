using MirrorD.Core;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>Who has which request, piece and slot. Whatever comes back makes the session run once more.</content>
internal sealed partial class NbdSession
{
    private int _requestsInUse;
    private int _piecesInUse;
    private int _slotsHeld;

    /// <summary>
    /// Takes a piece, with a slot where there is data. False: the session runs again when one came back.
    /// </summary>
    private bool TryRentPiece(PendingRequest request, int dataBytes, out Piece piece)
    {
        piece = null!;
        IoBuffer? slot = null;
        if (_memory.FreePieces.Count == 0 || (dataBytes > 0 && !_export!.TryRentSlot(_slotsHeld, out slot)))
        {
            return false;
        }

        piece = _memory.FreePieces.Pop();
        _piecesInUse++;
        request.Pieces++;
        piece.Request = request;
        piece.Slot = slot;
        piece.Io.Data = default;
        if (slot is not null)
        {
            _slotsHeld++;
            piece.Io.Data = slot.Slice(BufferPool.HeadroomBytes, dataBytes);
        }

        return true;
    }

    private void ReleasePiece(Piece piece)
    {
        Invariant.Require(piece.State != PieceState.Free, "a piece is released once");
        IoBuffer? slot = piece.Slot;
        piece.State = PieceState.Free;
        piece.Slot = null;
        piece.Io.Data = default;
        piece.Request.Pieces--;
        _memory.FreePieces.Push(piece);
        _piecesInUse--;
        _runAgain = true;
        if (slot is not null)
        {
            _slotsHeld--;
            _export!.Volume.Buffers.Return(slot); // May run other sessions.
        }
    }

    private void ReleaseRequest(PendingRequest request)
    {
        NoteReply(request);
        _requestsInUse--;
        _memory.FreeRequests.Push(request);
        _runAgain = true;
    }

    /// <summary>At closing: gives back what nobody works on. The rest is released as it comes back.</summary>
    private void ReleaseIdlePieces()
    {
        bool fills = _receive.IsPending && _receivesIntoSlot;
        foreach (Piece piece in _memory.Pieces)
        {
            if (piece.State == PieceState.Ready || (piece.State == PieceState.Filling && !fills))
            {
                ReleasePiece(piece);
            }
        }
    }
}
