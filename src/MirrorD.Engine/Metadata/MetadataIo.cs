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
    private readonly MetadataArea _area;
    private readonly IoOperation _operation;
    private readonly Action _start;
    private readonly Action _failed;
    private Action<int>? _then;
    private OperationKind _kind;
    private long _offset;
    private BufferSlice _data;

    public MetadataIo(IIoLoop loop, MetadataArea area)
    {
        _loop = loop;
        _area = area;
        _operation = new IoOperation(Completed);
        _start = Start;
        _failed = () => Ended(Errno.EIO);
    }

    public bool IsPending => _then is not null;

    public void Read(long offset, BufferSlice into, Action<int> then) => Begin(OperationKind.Read, offset, into, then);

    public void WriteDurably(long offset, BufferSlice from, Action<int> then) =>
        Begin(OperationKind.Write, offset, from, then);

    public void Flush(Action<int> then) => Begin(OperationKind.Flush, 0, default, then);

    private void Begin(OperationKind kind, long offset, BufferSlice data, Action<int> then)
    {
        Invariant.Require(_then is null, "one metadata operation at a time");
        _then = then;
        _kind = kind;
        _offset = offset;
        _data = data;
        _area.Begin(_start);
    }

    private void Start()
    {
        int lengthBytes = _kind == OperationKind.Flush ? 0 : _data.LengthBytes;
        Invariant.Require(_offset >= 0 && _offset + lengthBytes <= _area.LengthBytes, "metadata stays within its area");
        if (_area.IsLost)
        {
            _loop.Post(_failed);
            return;
        }

        switch (_kind)
        {
            case OperationKind.Read:
                _loop.Read(_area.Disk, _area.Offset + _offset, _data, _operation);
                break;
            case OperationKind.Write:
                _loop.Write(_area.Disk, _area.Offset + _offset, _data, durable: true, _operation);
                break;
            default:
                _loop.Flush(_area.Disk, _operation);
                break;
        }
    }

    private void Completed(IoOperation operation) => Ended(operation.Result < 0 ? -operation.Result : 0);

    private void Ended(int error)
    {
        Action<int> then = _then!;
        _then = null;
        _area.Ended();
        then(error);
    }
}
