using MirrorD.Core;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// One operation at a time on the metadata area of a volume, followed by what comes next. Offsets count from
/// the begin of the area. Results are 0 or a positive errno.
/// </summary>
internal sealed class MetadataIo
{
    private readonly IIoLoop _loop;
    private readonly IDisk _disk;
    private readonly long _areaOffset;
    private readonly long _areaBytes;
    private readonly IoOperation _operation;
    private Action<int>? _then;

    public MetadataIo(IIoLoop loop, IDisk disk, long areaOffset, long areaBytes)
    {
        _loop = loop;
        _disk = disk;
        _areaOffset = areaOffset;
        _areaBytes = areaBytes;
        _operation = new IoOperation(Completed);
    }

    public bool IsPending => _then is not null;

    public void Read(long offset, BufferSlice into, Action<int> then)
    {
        Begin(offset, into.LengthBytes, then);
        _loop.Read(_disk, _areaOffset + offset, into, _operation);
    }

    public void WriteDurably(long offset, BufferSlice from, Action<int> then)
    {
        Begin(offset, from.LengthBytes, then);
        _loop.Write(_disk, _areaOffset + offset, from, durable: true, _operation);
    }

    public void Flush(Action<int> then)
    {
        Begin(0, 0, then);
        _loop.Flush(_disk, _operation);
    }

    private void Begin(long offset, int lengthBytes, Action<int> then)
    {
        Invariant.Require(_then is null, "one metadata operation at a time");
        Invariant.Require(offset >= 0 && offset + lengthBytes <= _areaBytes,
            "metadata stays within its area");
        _then = then;
    }

    private void Completed(IoOperation operation)
    {
        Action<int> then = _then!;
        _then = null;
        then(operation.Result < 0 ? -operation.Result : 0);
    }
}
