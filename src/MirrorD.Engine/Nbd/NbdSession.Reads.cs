using MirrorD.Core;
using MirrorD.Core.Volumes;
using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>
/// Reads. With structured replies every piece is a chunk of its own and leaves when it is ready. With simple
/// replies the data must follow the header in order: a first window of pieces is read before the header is
/// sent, and when the read is longer than that, each slot is used again for a later part as soon as it was
/// sent. Such a read thus needs no slot beyond those it began with, and never waits for one behind which
/// others wait.
/// </content>
internal sealed partial class NbdSession
{
    private PendingRequest? _reading;
    private PendingRequest? _streaming;
    private bool _streamBegun;

    private Step IssueRead(PendingRequest request)
    {
        int mostPieces = _structuredReplies ? SessionLimits.SlotsPerRead : SessionLimits.SlotsPerSimpleRead;
        while (request.LeftBytes > 0 && request.Error == NbdError.None)
        {
            int bytes = (int)Math.Min(request.LeftBytes, _export!.SlotBytes);
            if (request.Pieces == mostPieces || !TryRentPiece(request, bytes, out Piece piece))
            {
                if (!_structuredReplies && request.Pieces > 0)
                {
                    break; // It streams with the slots that it has.
                }

                return Step.Blocked;
            }

            SubmitRead(piece, request, request.ReceivedNs);
        }

        _reading = null;
        if (_structuredReplies && request.LeftBytes > 0)
        {
            request.EndOffset = request.NextOffset; // After an error nothing more is read.
        }

        if (request.Pieces == 0)
        {
            request.ErrorWasSent(); // With the piece that failed.
            _replies.Enqueue(request);
        }

        return Step.Taken;
    }

    private void SubmitRead(Piece piece, PendingRequest request, long sinceNs)
    {
        long offset = request.NextOffset;
        request.NextOffset += piece.DataBytes;
        if (!_structuredReplies)
        {
            request.Append(piece);
        }

        Submit(piece, VolumeOperation.Read, offset, piece.DataBytes, sinceNs);
    }

    private void OnReadDone(Piece piece, PendingRequest request)
    {
        FailOnError(piece, request, "the read failed");
        if (_structuredReplies)
        {
            _replies.Enqueue(piece);
            return;
        }

        if (_streaming == request || request.PiecesInVolume > 0)
        {
            return;
        }

        Invariant.Require(_reading != request, "a simple read never waits for slots while it holds some");
        while (request.Error != NbdError.None && request.FirstPiece is not null)
        {
            ReleasePiece(request.RemoveFirstPiece());
        }

        _replies.Enqueue(request);
    }

    /// <summary>
    /// Sends the next piece of the read whose header is out, as soon as that piece is ready.
    /// </summary>
    private void ContinueStream(PendingRequest request)
    {
        if (request.Error != NbdError.None)
        {
            // The header said success; the protocol leaves nothing but to hang up.
            Close(NbdEventKind.Lost, $"a read failed after its reply had begun ({request.Error}), closed");
            return;
        }

        if (request.FirstPiece!.State != PieceState.Ready)
        {
            return;
        }

        Piece piece = request.RemoveFirstPiece();
        int headerBytes = 0;
        if (!_streamBegun)
        {
            _streamBegun = true;
            headerBytes = NbdSimpleReplyHeader.SizeBytes;
            var header = new NbdSimpleReplyHeader(NbdError.None, request.Header.Cookie);
            header.Encode(Headroom(piece, headerBytes).Span);
        }

        SendSlot(piece, headerBytes);
    }

    private void OnStreamed(Piece piece, PendingRequest request)
    {
        if (request.LeftBytes > 0)
        {
            int bytes = (int)Math.Min(request.LeftBytes, _export!.SlotBytes);
            piece.Io.Data = piece.Slot!.Slice(BufferPool.HeadroomBytes, bytes);
            SubmitRead(piece, request, _loop.NowNs);
            return;
        }

        bool last = request.FirstPiece is null;
        ReleasePiece(piece);
        if (last)
        {
            _streaming = null;
            ReleaseRequest(request);
        }
    }
}
