using MirrorD.Formats.Watch;
using MirrorD.Io;

namespace MirrorD.Engine.Watch;

/// <summary>
/// The socket of one path, with a receive always pending and a short queue of datagrams to send. It opens
/// itself when it can, and anew when sending fails for long: an interface that vanished and came back is
/// another one to the kernel. Allocates nothing per datagram.
/// </summary>
internal sealed class PathSocket : IDisposable
{
    /// <summary>Between two attempts to open.</summary>
    public const long RetryNs = 1_000_000_000;

    /// <summary>When nothing could be sent for so long, the socket is opened anew.</summary>
    public const long FailingNs = 2_000_000_000;

    /// <summary>Datagrams that wait to be sent; what comes on top is dropped.</summary>
    public const int QueueLimit = 8;

    // A longer datagram than the protocol knows is seen to be one.
    private const int SlotBytes = WatchDatagram.MaxBytes + 8;

    private readonly IIoLoop _loop;
    private readonly Action<PathSocket, BufferSlice> _arrived;
    private readonly Action<PathSocket> _refused;
    private readonly Action<PathSocket, string> _cannotOpen;
    private readonly IoBuffer _memory = new((QueueLimit + 1) * SlotBytes);
    private readonly int[] _lengths = new int[QueueLimit];
    private readonly IoOperation _receive;
    private readonly IoOperation _send;
    private IDatagramSocket? _socket;
    private int _oldest;
    private int _waiting;
    private long _openAtNs;
    private long? _failingSinceNs;
    private bool _isTold;
    private bool _isEnding;

    /// <param name="loop">The loop.</param>
    /// <param name="path">The path.</param>
    /// <param name="index">Its number in the watch.</param>
    /// <param name="arrived">A datagram came; the bytes are valid until it returns.</param>
    /// <param name="refused">Nobody listens at the far end.</param>
    /// <param name="cannotOpen">The socket can't be opened; once until it can.</param>
    public PathSocket(
        IIoLoop loop, WatchPath path, int index, Action<PathSocket, BufferSlice> arrived,
        Action<PathSocket> refused, Action<PathSocket, string> cannotOpen)
    {
        _loop = loop;
        Path = path;
        Number = path.Number;
        Index = index;
        _arrived = arrived;
        _refused = refused;
        _cannotOpen = cannotOpen;
        _receive = new IoOperation(Received);
        _send = new IoOperation(Sent);
    }

    public WatchPath Path { get; }

    /// <summary>How datagrams name the path.</summary>
    public ushort Number { get; }

    public int Index { get; }

    /// <summary>Nothing of it is pending any more.</summary>
    public bool IsIdle => _socket is null && !_receive.IsPending && !_send.IsPending;

    private bool IsOpen => _socket is not null;

    /// <summary>Time passes: opens the socket if it is due, and receives again after an error.</summary>
    public void Tick(long nowNs)
    {
        if (_failingSinceNs is { } since && nowNs - since >= FailingNs)
        {
            Close();
        }

        if (!IsOpen && !_isEnding && nowNs >= _openAtNs && !_receive.IsPending && !_send.IsPending)
        {
            Open(nowNs);
        }

        if (IsOpen && !_receive.IsPending)
        {
            Receive();
        }
    }

    /// <summary>
    /// Room for a datagram; empty when there is none, as too many wait or the socket is not open. Then
    /// <see cref="Enqueue"/>.
    /// </summary>
    public Span<byte> Room() => IsOpen && !_isEnding && _waiting < QueueLimit
        ? Slot((_oldest + _waiting) % QueueLimit).Span : default;

    /// <summary>The datagram in the room goes out.</summary>
    public void Enqueue(int lengthBytes)
    {
        _lengths[(_oldest + _waiting) % QueueLimit] = lengthBytes;
        _waiting++;
        SendNext();
    }

    /// <summary>Ends it once all that waits was sent.</summary>
    public void End()
    {
        _isEnding = true;
        if (!_send.IsPending)
        {
            Close();
        }
    }

    /// <summary>Frees the memory; only when <see cref="IsIdle"/>.</summary>
    public void Dispose() => _memory.Dispose();

    private void Open(long nowNs)
    {
        _openAtNs = nowNs + RetryNs;
        try
        {
            _socket = _loop.OpenDatagram(Path.Endpoint);
            _isTold = false;
        }
        catch (IOException problem)
        {
            if (!_isTold)
            {
                _isTold = true;
                _cannotOpen(this, problem.Message);
            }
        }
    }

    private void Close()
    {
        _socket?.Close();
        _socket = null;
        _failingSinceNs = null;
        _waiting = _send.IsPending ? 1 : 0;
    }

    private void Receive() => _loop.Receive(_socket!, Slot(QueueLimit), _receive);

    private void Received(IoOperation operation)
    {
        if (!IsOpen)
        {
            return;
        }

        if (operation.Result >= 0)
        {
            _arrived(this, Slot(QueueLimit).Slice(0, operation.Result));
            if (IsOpen && !_receive.IsPending)
            {
                Receive();
            }
        }
        else if (operation.Result == -Errno.ECONNREFUSED)
        {
            _refused(this);
        }

        // After an error the next tick receives again: whatever the network says can't keep the loop busy.
    }

    private void SendNext()
    {
        if (_waiting > 0 && IsOpen && !_send.IsPending)
        {
            _loop.Send(_socket!, Slot(_oldest).Slice(0, _lengths[_oldest]), _send);
        }
    }

    private void Sent(IoOperation operation)
    {
        _oldest = (_oldest + 1) % QueueLimit;
        _waiting--;
        if (operation.Result == -Errno.ECONNREFUSED && IsOpen)
        {
            // Told of an earlier datagram; this one was not sent, the next one comes soon.
            _refused(this);
        }

        _failingSinceNs = operation.Result >= 0 || operation.Result == -Errno.ECONNREFUSED || !IsOpen
            ? null : _failingSinceNs ?? _loop.NowNs;
        SendNext();
        if (_isEnding && !_send.IsPending)
        {
            Close();
        }
    }

    private BufferSlice Slot(int index) => _memory.Slice(index * SlotBytes, SlotBytes);
}
