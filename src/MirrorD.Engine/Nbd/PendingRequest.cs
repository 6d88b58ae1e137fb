using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <summary>A request from its header to its reply. Reused by its session.</summary>
internal sealed class PendingRequest : QueuedReply
{
    /// <summary>As it was received.</summary>
    public NbdRequestHeader Header { get; private set; }

    /// <summary>
    /// The first byte of the range that was not yet given to a piece (for a write: not yet received).
    /// </summary>
    public long NextOffset { get; set; }

    /// <summary>End of the range; a read that failed is cut short here.</summary>
    public long EndOffset { get; set; }

    /// <summary>Loop time of the receive that brought its header; of a write, its last byte.</summary>
    public long ReceivedNs { get; set; }

    /// <summary>Loop time at which the volume was done with its last piece; 0 before.</summary>
    public long DecidedNs { get; set; }

    /// <summary>Pieces that were rented for it and not yet released.</summary>
    public int Pieces { get; set; }

    /// <summary>Pieces that the volume works on.</summary>
    public int PiecesInVolume { get; set; }

    /// <summary>The first error.</summary>
    public NbdError Error { get; private set; }

    /// <summary>Why, for humans; may be empty.</summary>
    public string ErrorText { get; private set; } = "";

    /// <summary>A read with a simple reply: its piece with the lowest offset.</summary>
    public Piece? FirstPiece { get; private set; }

    private Piece? _lastPiece;

    /// <summary>Bytes of the range that no piece has yet.</summary>
    public long LeftBytes => EndOffset - NextOffset;

    /// <summary>Begins a new request.</summary>
    public void Begin(in NbdRequestHeader header, NbdError error, string text, long receivedNs)
    {
        ReceivedNs = receivedNs;
        DecidedNs = 0;
        Header = header;
        NextOffset = (long)header.Offset;
        EndOffset = NextOffset + header.LengthBytes;
        Pieces = 0;
        PiecesInVolume = 0;
        Error = error;
        ErrorText = text;
        FirstPiece = null;
        _lastPiece = null;
    }

    /// <summary>Notes an error unless there was one before.</summary>
    public void Fail(NbdError error, string text)
    {
        if (Error == NbdError.None)
        {
            Error = error;
            ErrorText = text;
        }
    }

    /// <summary>The client was told of the error in a chunk of its own; the reply only has to end.</summary>
    public void ErrorWasSent() => Error = NbdError.None;

    /// <summary>Adds a piece behind those with lower offsets.</summary>
    public void Append(Piece piece)
    {
        piece.NextInRequest = null;
        if (_lastPiece is null)
        {
            FirstPiece = piece;
        }
        else
        {
            _lastPiece.NextInRequest = piece;
        }

        _lastPiece = piece;
    }

    /// <summary>Takes the first piece away.</summary>
    public Piece RemoveFirstPiece()
    {
        Piece first = FirstPiece!;
        FirstPiece = first.NextInRequest;
        first.NextInRequest = null;
        if (FirstPiece is null)
        {
            _lastPiece = null;
        }

        return first;
    }
}
