namespace MirrorD.Io.Simulated;

/// <summary>
/// A datagram socket of a simulated process, as its kernel holds it: what arrives waits here, also while the
/// process is paused.
/// </summary>
internal sealed class SimulatedDatagramSocket(
    SimulatedNetwork network, SimulatedLoop loop, UdpEndpoint endpoint) : IDatagramSocket
{
    /// <summary>
    /// Datagrams that wait for a receive; what else arrives is lost, as with a full buffer.
    /// </summary>
    public const int QueueLimit = 64;

    /// <summary>Longest datagram: 65535 bytes less the headers of IPv4 and UDP.</summary>
    public const int MaxBytes = 65507;

    private readonly Queue<byte[]> _arrived = new();
    private int _error;
    private bool _closed;

    private IoOperation? _receive;
    private BufferSlice _receiveInto;
    private bool _receiveScheduled;
    private IoOperation? _send;

    public SimulatedLoop Loop { get; } = loop;

    public UdpEndpoint Endpoint { get; } = endpoint;

    /// <summary>World time at which the last one that was sent in order arrives.</summary>
    public long LastDueNs { get; set; }

    public void Receive(BufferSlice into, IoOperation operation)
    {
        RequireFree(_receive, "receive");
        operation.Begin(OperationKind.ReceiveDatagram);
        if (_closed)
        {
            Loop.CompleteSoon(operation, -Errno.ECANCELED);
            return;
        }

        _receive = operation;
        _receiveInto = into;
        ScheduleReceive();
    }

    public void Send(BufferSlice from, IoOperation operation)
    {
        RequireFree(_send, "send");
        operation.Begin(OperationKind.SendDatagram);
        if (_closed)
        {
            Loop.CompleteSoon(operation, -Errno.ECANCELED);
            return;
        }

        int error = from.LengthBytes > MaxBytes ? -Errno.EMSGSIZE : -TakeError();
        error = error != 0 ? error : network.Dispatch(this, from.Span.ToArray());
        int result = error != 0 ? error : from.LengthBytes;
        _send = operation;
        Loop.After(Loop.TurnNs(), () =>
        {
            _send = null;
            operation.Complete(result);
        });
    }

    public void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        network.Forget(this);
        if (_receive is { } pending)
        {
            _receive = null;
            Loop.CompleteSoon(pending, -Errno.ECANCELED);
        }
    }

    /// <summary>A datagram reaches this host.</summary>
    public void Arrive(byte[] data)
    {
        if (_arrived.Count < QueueLimit)
        {
            _arrived.Enqueue(data);
            ScheduleReceive();
        }
    }

    /// <summary>The network says something of an earlier datagram.</summary>
    public void ArriveError(int errno)
    {
        _error = errno;
        ScheduleReceive();
    }

    private void ScheduleReceive()
    {
        if (_receive is not { } operation || _receiveScheduled || (_error == 0 && _arrived.Count == 0))
        {
            return;
        }

        _receiveScheduled = true;
        Loop.After(Loop.TurnNs(), () =>
        {
            _receiveScheduled = false;
            // A send may have taken the error meanwhile.
            if (_receive == operation && (_error != 0 || _arrived.Count > 0))
            {
                _receive = null;
                operation.Complete(_error != 0 ? -TakeError() : TakeDatagram());
            }
        });
    }

    private int TakeError()
    {
        int error = _error;
        _error = 0;
        return error;
    }

    private int TakeDatagram()
    {
        byte[] data = _arrived.Dequeue();
        int length = Math.Min(data.Length, _receiveInto.LengthBytes);
        data.AsSpan(0, length).CopyTo(_receiveInto.Span);
        return length;
    }

    private void RequireFree(IoOperation? pending, string what)
    {
        if (pending is not null)
        {
            throw new InvalidOperationException($"A {what} is already pending on {Endpoint}.");
        }
    }
}
