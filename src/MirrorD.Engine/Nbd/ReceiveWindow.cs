using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>The bytes of a connection that were received but not yet consumed.</summary>
internal sealed class ReceiveWindow(IoBuffer buffer)
{
    private int _begin;
    private int _end;

    /// <summary>Bytes that can be looked at.</summary>
    public int AvailableBytes => _end - _begin;

    /// <summary>The oldest bytes.</summary>
    public ReadOnlySpan<byte> Peek(int lengthBytes) => buffer.Span.Slice(_begin, lengthBytes);

    /// <summary>Forgets the oldest bytes.</summary>
    public void Consume(int lengthBytes)
    {
        _begin += lengthBytes;
        if (_begin == _end)
        {
            _begin = 0;
            _end = 0;
        }
    }

    /// <summary>
    /// Room to receive into, so that the window can come to hold at least <paramref name="neededBytes"/>.
    /// Moves the unconsumed bytes to the front when they are in the way.
    /// </summary>
    /// <param name="neededBytes">More than available, at most the buffer.</param>
    /// <param name="wantedBytes">Upper limit of the room; never less than what is needed.</param>
    public BufferSlice Room(int neededBytes, int wantedBytes)
    {
        if (_begin > 0)
        {
            int kept = AvailableBytes;
            buffer.Span.Slice(_begin, kept).CopyTo(buffer.Span);
            _begin = 0;
            _end = kept;
        }

        int room = Math.Max(neededBytes - _end, Math.Min(wantedBytes, buffer.LengthBytes - _end));
        return buffer.Slice(_end, room);
    }

    /// <summary>Notes bytes that were received into the room.</summary>
    public void Received(int lengthBytes) => _end += lengthBytes;
}
