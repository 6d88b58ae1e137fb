using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>Somebody whose memory is being sent.</summary>
internal interface ISendOwner
{
    /// <summary>The memory is no longer in use by the send: it has left, or never will.</summary>
    void SendEnded();
}

/// <summary>
/// Outgoing bytes of one connection, in order, one send at a time. Small pieces are copied together into
/// chunks, so that many frames leave with one system call; large ones are sent from where they are, and their
/// owner is told when they have left. Not bounded by itself: what may be in flight is bounded by slots on
/// both sides.
/// </summary>
internal sealed class SendQueue
{
    private const int ChunkBytes = SendChunks.ChunkBytes;

    private readonly LinkStream _stream;
    private readonly IoOperation _send;
    private readonly Action<int> _ended;
    private readonly Queue<Segment> _segments = new(256);
    private readonly SendChunks _chunks;
    private Segment _sending;
    private IoBuffer? _chunk;
    private int _chunkStart;
    private int _chunkEnd;

    /// <param name="stream">Where to.</param>
    /// <param name="chunks">Memory for what is copied together.</param>
    /// <param name="ended">Called after each send with 0 or a positive errno.</param>
    public SendQueue(LinkStream stream, SendChunks chunks, Action<int> ended)
    {
        _chunks = chunks;
        _stream = stream;
        _ended = ended;
        _send = new IoOperation(Sent);
    }

    private readonly record struct Segment(BufferSlice Slice, ISendOwner? Owner, IoBuffer? EndsChunk);

    /// <summary>Nothing waits and nothing is being sent.</summary>
    public bool IsEmpty => !_send.IsPending && _segments.Count == 0 && _chunkStart == _chunkEnd;

    /// <summary>A send is being carried out (also after a close, until it is cancelled).</summary>
    public bool IsSending => _send.IsPending;

    /// <summary>Room for a small piece (at most a chunk), to be filled before <see cref="Pump"/>.</summary>
    public Span<byte> Append(int lengthBytes)
    {
        if (_chunk is null || _chunkEnd + lengthBytes > ChunkBytes)
        {
            SealChunk(endsChunk: true);
            _chunk = _chunks.Rent();
            _chunkStart = 0;
            _chunkEnd = 0;
        }

        _chunkEnd += lengthBytes;
        return _chunk.Span.Slice(_chunkEnd - lengthBytes, lengthBytes);
    }

    /// <summary>A piece of any size, copied: whose it is may change it at once.</summary>
    public void AppendCopied(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int room = _chunk is null || _chunkEnd == ChunkBytes ? ChunkBytes : ChunkBytes - _chunkEnd;
            int part = Math.Min(room, bytes.Length);
            bytes[..part].CopyTo(Append(part));
            bytes = bytes[part..];
        }
    }

    /// <summary>A large piece, sent in place; the owner hears of its end.</summary>
    public void Append(BufferSlice slice, ISendOwner owner)
    {
        SealChunk(endsChunk: false);
        _segments.Enqueue(new Segment(slice, owner, null));
    }

    /// <summary>Sends what waits, unless a send is under way.</summary>
    public void Pump()
    {
        if (_send.IsPending)
        {
            return;
        }

        SkipEmpty();
        if (_segments.Count == 0)
        {
            SealChunk(endsChunk: false);
        }

        if (_segments.TryDequeue(out _sending))
        {
            _stream.Send(_sending.Slice, _send);
        }
    }

    /// <summary>
    /// After the connection is closed and nothing is being sent: owners get their pieces back.
    /// </summary>
    public void Abandon()
    {
        while (_segments.TryDequeue(out Segment segment))
        {
            segment.Owner?.SendEnded();
            Return(segment.EndsChunk);
        }

        Return(_chunk);
        _chunk = null;
        _chunkStart = _chunkEnd = 0;
    }

    private void SealChunk(bool endsChunk)
    {
        if (_chunk is null)
        {
            return;
        }

        if (_chunkEnd > _chunkStart || endsChunk)
        {
            _segments.Enqueue(new Segment(
                _chunk.Slice(_chunkStart, _chunkEnd - _chunkStart), null, endsChunk ? _chunk : null));
            _chunkStart = _chunkEnd;
        }

        if (endsChunk)
        {
            _chunk = null;
        }
    }

    private void Sent(IoOperation operation)
    {
        // The owner may append and pump, which begins the operation anew.
        int error = operation.Result < 0 ? -operation.Result : 0;
        Segment sent = _sending;
        _sending = default;
        sent.Owner?.SendEnded();
        Return(sent.EndsChunk);
        _ended(error);
    }

    private void Return(IoBuffer? chunk)
    {
        if (chunk is not null)
        {
            _chunks.Return(chunk);
        }
    }

    /// <summary>A chunk that was sealed when nothing new stood in it only has to be given back.</summary>
    private void SkipEmpty()
    {
        while (_segments.TryPeek(out Segment next) && next.Slice.LengthBytes == 0)
        {
            _segments.Dequeue();
            Return(next.EndsChunk);
        }
    }
}
