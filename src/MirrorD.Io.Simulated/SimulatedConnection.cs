using System.Net;

namespace MirrorD.Io.Simulated;

/// <summary>
/// One end of a stream connection: the kernel's socket of a simulated process. Holds what has arrived, and
/// the segments that are on their way to the other end.
/// </summary>
internal sealed partial class SimulatedConnection(
    SimulatedWorld world, SimulatedLoop loop, string network, string name, IPAddress? remoteAddress) : IConnection
{
    private readonly Queue<ReadOnlyMemory<byte>> _arrived = new();
    private SimulatedConnection _peer = null!;
    private int _arrivedBytes;
    private bool _ended;
    private bool _reset;
    private bool _closed;
    private bool _silent;

    private IoOperation? _receive;
    private BufferSlice _receiveInto;
    private int _receiveMinimum;
    private int _received;
    private bool _receiveScheduled;

    public SimulatedLoop Loop { get; } = loop;

    /// <summary>The network that it runs through; empty within a host.</summary>
    public string Network { get; } = network;

    public SimulatedNode PeerNode => _peer.Loop.Node;

    /// <summary>Both ends are closed and nothing travels any more.</summary>
    public bool IsOver => _closed && _peer._closed && _travelling.Count == 0 && _peer._travelling.Count == 0;

    public string Name { get; } = name;

    public IPAddress? RemoteAddress { get; } = remoteAddress;

    public void Join(SimulatedConnection peer) => _peer = peer;

    public void Receive(BufferSlice into, int minimumBytes, IoOperation operation)
    {
        if (_closed)
        {
            Loop.CompleteSoon(operation, -Errno.ECANCELED);
            return;
        }

        if (_receive is not null)
        {
            throw new InvalidOperationException($"{Name}: a receive is already pending.");
        }

        _receive = operation;
        _receiveInto = into;
        _receiveMinimum = minimumBytes;
        _received = 0;
        TakeArrived();
        ScheduleReceive();
    }

    public void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        Cancel(ref _receive);
        Cancel(ref _send);
        // As the kernel does: closing with unread data resets the connection.
        Append(new Segment(_arrivedBytes > 0 ? SegmentKind.Reset : SegmentKind.End, default));
    }

    /// <summary>The process was killed: its kernel closes the socket.</summary>
    public void EndWithProcess()
    {
        if (!_closed)
        {
            _closed = true;
            Append(new Segment(world.Random.Percent(50) ? SegmentKind.Reset : SegmentKind.End, default));
        }
    }

    /// <summary>
    /// The host lost power: what it had sent but nobody had received may get through in part.
    /// </summary>
    public void FallSilent()
    {
        _closed = true;
        _silent = true;
        TruncateOutgoing();
    }

    /// <summary>A segment from the other end reaches this host.</summary>
    public void Arrive(Segment segment)
    {
        if (_closed)
        {
            // A host without power answers nothing; once it runs again it knows nothing of the connection.
            if (Loop.Node.IsOn && segment.Kind == SegmentKind.Data)
            {
                Append(new Segment(SegmentKind.Reset, default));
            }

            return;
        }

        switch (segment.Kind)
        {
            case SegmentKind.Data:
                _arrived.Enqueue(segment.Data);
                _arrivedBytes += segment.Data.Length;
                TakeArrived();
                break;
            case SegmentKind.End:
                _ended = true;
                break;
            case SegmentKind.Reset:
                _reset = true;
                FailSend();
                break;
            default:
                throw new InvalidOperationException($"Unknown segment {segment.Kind}.");
        }

        ScheduleReceive();
    }

    private void ScheduleReceive()
    {
        bool ready = _received >= _receiveMinimum || _ended || _reset;
        if (_receive is { } operation && ready && !_receiveScheduled)
        {
            _receiveScheduled = true;
            Loop.After(Loop.TurnNs(), () =>
            {
                _receiveScheduled = false;
                if (_receive == operation)
                {
                    _receive = null;
                    CompleteReceive(operation);
                }
            });
        }
    }

    private void CompleteReceive(IoOperation operation) =>
        operation.Complete(_reset && _received < _receiveMinimum ? -Errno.ECONNRESET : _received);

    /// <summary>Moves what has arrived into the pending receive, as far as it has room.</summary>
    private void TakeArrived()
    {
        int before = _received;
        while (_receive is not null && _received < _receiveInto.LengthBytes
            && _arrived.TryDequeue(out ReadOnlyMemory<byte> first))
        {
            int length = Math.Min(first.Length, _receiveInto.LengthBytes - _received);
            first.Span[..length].CopyTo(_receiveInto.Span[_received..]);
            _received += length;
            if (length < first.Length)
            {
                PutBack(first[length..]);
            }
        }

        if (_received > before)
        {
            _arrivedBytes -= _received - before;
            _peer.RoomMade();
        }
    }

    private void PutBack(ReadOnlyMemory<byte> rest)
    {
        int others = _arrived.Count;
        _arrived.Enqueue(rest);
        for (int i = 0; i < others; i++)
        {
            _arrived.Enqueue(_arrived.Dequeue());
        }
    }

    private void Cancel(ref IoOperation? pending)
    {
        if (pending is { } operation)
        {
            pending = null;
            Loop.CompleteSoon(operation, -Errno.ECANCELED);
        }
    }
}
