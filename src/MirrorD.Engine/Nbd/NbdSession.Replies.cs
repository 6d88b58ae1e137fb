using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <content>
/// Sending: one send at a time. While it is under way, replies that become ready wait as objects; then as
/// many as fit are encoded into the send buffer and leave together. Large data is sent from its slot, header
/// in front of it.
/// </content>
internal sealed partial class NbdSession
{
    private readonly ReplyQueue _replies = new();
    private Piece? _sendingPiece;
    private int _sendBytes;
    private string _finishText = "";

    private void SendReplies()
    {
        if (_phase == Phase.Closing || _send.IsPending)
        {
            return;
        }

        while (_streaming is null && _replies.First is { } reply && TryGather(reply))
        {
        }

        if (_sendBytes > 0)
        {
            Send(_memory.Send.Slice(0, _sendBytes));
            return;
        }

        if (_streaming is null && _replies.First is { } large)
        {
            _replies.RemoveFirst();
            SendLarge(large);
            return;
        }

        if (_streaming is not null)
        {
            ContinueStream(_streaming);
            return;
        }

        if (_phase == Phase.Finishing && _requestsInUse == 0)
        {
            Close(NbdEventKind.Closed, _finishText);
        }
    }

    /// <summary>
    /// Moves the first reply into the send buffer; false when it is too large or must wait for room.
    /// </summary>
    private bool TryGather(QueuedReply reply)
    {
        Span<byte> room = _memory.Send.Span[_sendBytes..];
        return reply is Piece piece ? TryGather(piece, room) : TryGather((PendingRequest)reply, room);
    }

    private bool TryGather(Piece piece, Span<byte> room)
    {
        bool failed = piece.Io.Error != 0;
        int needed = failed ? MostErrorBytes : DataHeaderBytes + piece.DataBytes;
        if (needed > room.Length || (!failed && piece.DataBytes > SessionLimits.CopiedBytes))
        {
            return false;
        }

        _replies.RemoveFirst();
        PendingRequest request = piece.Request;
        MarkEnd(piece);
        if (failed)
        {
            _sendBytes += EncodeError(room, request, ErrorOf(piece.Io.Error), "the read failed", piece);
        }
        else
        {
            EncodeDataHeader(room, piece);
            piece.Io.Data.Span.CopyTo(room[DataHeaderBytes..]);
            _sendBytes += needed;
        }

        ReleaseSent(piece);
        return true;
    }

    private bool TryGather(PendingRequest request, Span<byte> room)
    {
        bool data = request.Error == NbdError.None && request.FirstPiece is not null;
        bool extents = request.Error == NbdError.None && request.Header.Command == NbdCommand.BlockStatus;
        int dataBytes = data && request.Pieces == 1 ? request.FirstPiece!.DataBytes : 0;
        bool copied = dataBytes is > 0 and <= SessionLimits.CopiedBytes;
        int needed = copied ? NbdSimpleReplyHeader.SizeBytes + dataBytes
            : extents ? NbdChunkHeader.SizeBytes + ExtentsBytes
            : MostErrorBytes;
        if (needed > room.Length || (data && (!copied || request.LeftBytes > 0)))
        {
            return false;
        }

        _replies.RemoveFirst();
        if (copied)
        {
            new NbdSimpleReplyHeader(NbdError.None, request.Header.Cookie).Encode(room);
            Piece piece = request.RemoveFirstPiece();
            piece.Io.Data.Span.CopyTo(room[NbdSimpleReplyHeader.SizeBytes..]);
            _sendBytes += needed;
            ReleasePiece(piece);
        }
        else if (extents)
        {
            EncodeExtents(room, request);
            _sendBytes += needed;
        }
        else
        {
            _sendBytes += EncodeStatus(room, request);
        }

        if (_asking == request)
        {
            _asking = null;
        }

        ReleaseRequest(request);
        return true;
    }

    private void SendLarge(QueuedReply reply)
    {
        if (reply is PendingRequest request)
        {
            _streaming = request;
            _streamBegun = false;
            ContinueStream(request);
            return;
        }

        var piece = (Piece)reply;
        MarkEnd(piece);
        EncodeDataHeader(Headroom(piece, DataHeaderBytes).Span, piece);
        SendSlot(piece, DataHeaderBytes);
    }

    private static BufferSlice Headroom(Piece piece, int bytes) =>
        piece.Slot!.Slice(BufferPool.HeadroomBytes - bytes, bytes);

    private void SendSlot(Piece piece, int headerBytes)
    {
        piece.State = PieceState.Sending;
        _sendingPiece = piece;
        int begin = BufferPool.HeadroomBytes - headerBytes;
        Send(piece.Slot!.Slice(begin, headerBytes + piece.DataBytes));
    }

    private void OnSent(IoOperation send)
    {
        bool wasRunning = _running;
        _running = true;
        if (send.Result < 0)
        {
            Close(NbdEventKind.Lost, $"send failed, errno {-send.Result}");
            _repliesLeaving = 0;
        }

        Piece? piece = _sendingPiece;
        _sendingPiece = null;
        if (piece is null)
        {
            _sendBytes = 0;
        }
        else
        {
            OnSlotSent(piece);
        }

        NoteSent();
        _running = wasRunning;
        Run();
    }

    private void OnSlotSent(Piece piece)
    {
        piece.State = PieceState.Ready;
        if (_phase == Phase.Closing)
        {
            ReleasePiece(piece);
        }
        else if (_streaming is not null)
        {
            OnStreamed(piece, _streaming);
        }
        else
        {
            ReleaseSent(piece);
        }
    }

    /// <summary>
    /// The chunk of the last piece that is out ends the reply, unless more of the read is to be issued.
    /// </summary>
    private void MarkEnd(Piece piece)
    {
        PendingRequest request = piece.Request;
        piece.EndsReply = request.Pieces == 1 && request.LeftBytes == 0 && _reading != request;
    }

    private void ReleaseSent(Piece piece)
    {
        PendingRequest request = piece.Request;
        bool ended = piece.EndsReply;
        ReleasePiece(piece);
        if (ended)
        {
            ReleaseRequest(request);
        }
    }
}
