using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// Memory for outgoing bytes that are copied together. It outlives connections; what mode async may have unsent is made at
/// the start, so that a burst of writes asks nobody for memory.
/// </summary>
internal sealed class SendChunks : IDisposable
{
    /// <summary>Bytes of a chunk.</summary>
    public const int ChunkBytes = 64 * 1024;

    /// <summary>Chunks kept in any mode; more are needed only while a burst of messages waits.</summary>
    private const int LeastKept = 4;

    /// <summary>
    /// Beside the data of mode async: headers of <see cref="Core.Limits.AheadWrites"/> frames, and chunks half full.
    /// </summary>
    private const int Spare = 12;

    private readonly Stack<IoBuffer> _free;
    private readonly int _kept;
    private bool _isDisposed;

    /// <param name="copiedBytes">Data that may be copied and not sent yet; 0 for the other modes.</param>
    public SendChunks(long copiedBytes)
    {
        _kept = LeastKept + (copiedBytes == 0 ? 0 : (int)(copiedBytes / ChunkBytes) + Spare);
        _free = new Stack<IoBuffer>(_kept);
        while (copiedBytes > 0 && _free.Count < _kept)
        {
            _free.Push(new IoBuffer(ChunkBytes));
        }
    }

    /// <summary>Chunks that nobody uses.</summary>
    public int Free => _free.Count;

    /// <summary>A chunk, for one connection.</summary>
    public IoBuffer Rent() => _free.TryPop(out IoBuffer? free) ? free : new IoBuffer(ChunkBytes);

    /// <summary>The connection has no use for it any more.</summary>
    public void Return(IoBuffer chunk)
    {
        if (_free.Count < _kept && !_isDisposed)
        {
            _free.Push(chunk);
        }
        else
        {
            chunk.Dispose();
        }
    }

    /// <summary>Frees what nobody uses; the rest goes when it is returned.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        while (_free.TryPop(out IoBuffer? chunk))
        {
            chunk.Dispose();
        }
    }
}
