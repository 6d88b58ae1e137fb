namespace MirrorD.Io.Simulated;

/// <content>The way to the other end: segments in order, each after its latency, a bounded number of
/// bytes.</content>
internal sealed partial class SimulatedConnection
{
    private readonly LinkedList<(Segment Segment, long DueNs)> _travelling = new();
    private int _travellingBytes;
    private long _lastDueNs;
    private bool _deliveryScheduled;
    private bool _outgoingLost;

    private IoOperation? _send;
    private BufferSlice _sendFrom;
    private int _sent;

    public void Send(BufferSlice from, IoOperation operation)
    {
        if (_closed)
        {
            Loop.CompleteSoon(operation, -Errno.ECANCELED);
            return;
        }

        if (_reset)
        {
            Loop.CompleteSoon(operation, -Errno.EPIPE);
            return;
        }

        if (_send is not null)
        {
            throw new InvalidOperationException($"{Name}: a send is already pending.");
        }

        _send = operation;
        _sendFrom = from;
        _sent = 0;
        Push();
    }

    /// <summary>The other end took bytes out: more may be sent.</summary>
    public void RoomMade()
    {
        if (_send is not null)
        {
            Loop.After(world.Network.LatencyBetween(PeerNode, Loop.Node), Push);
        }
    }

    /// <summary>The path was mended: what waited travels on.</summary>
    public void ResumeOutgoing() => ScheduleDelivery();

    /// <summary>Nothing that travels now or later will arrive.</summary>
    public void LoseOutgoing()
    {
        _outgoingLost = true;
        _travelling.Clear();
    }

    private void TruncateOutgoing()
    {
        for (int kept = world.Random.Below(_travelling.Count + 1); _travelling.Count > kept;)
        {
            _travelling.RemoveLast();
        }
    }

    private void Push()
    {
        while (_send is { } operation)
        {
            int room = world.Network.WindowBytes - _travellingBytes - _peer._arrivedBytes;
            int length = Math.Min(_sendFrom.LengthBytes - _sent, room);
            if (length > 0)
            {
                Append(new Segment(SegmentKind.Data, _sendFrom.Span.Slice(_sent, length).ToArray()));
                _sent += length;
            }

            if (_sent < _sendFrom.LengthBytes)
            {
                return;
            }

            _send = null;
            int sent = _sent;
            if (world.Random.Percent(5))
            {
                // The answer may be there before.
                Loop.After(world.Network.LatencyBetween(Loop.Node, PeerNode) * 3, () => operation.Complete(sent));
            }
            else
            {
                Loop.CompleteSoon(operation, sent);
            }
        }
    }

    private void FailSend()
    {
        if (_send is { } operation)
        {
            _send = null;
            Loop.CompleteSoon(operation, -Errno.ECONNRESET);
        }
    }

    private void Append(Segment segment)
    {
        if (_outgoingLost)
        {
            _travellingBytes += segment.Data.Length;
            return;
        }

        _lastDueNs = Math.Max(_lastDueNs, world.NowNs + world.Network.LatencyBetween(Loop.Node, PeerNode));
        _travelling.AddLast((segment, _lastDueNs));
        _travellingBytes += segment.Data.Length;
        ScheduleDelivery();
    }

    private void ScheduleDelivery()
    {
        if (!_deliveryScheduled && _travelling.First is { } next)
        {
            _deliveryScheduled = true;
            world.Add(null, next.Value.DueNs - world.NowNs, Deliver);
        }
    }

    private void Deliver()
    {
        _deliveryScheduled = false;
        if (!world.Network.Passes(Network, Loop.Node, PeerNode) || _travelling.First is not { } next)
        {
            return;
        }

        (Segment segment, long dueNs) = next.Value;
        _travelling.RemoveFirst();
        if (segment.Data.Length > 1 && world.Random.Percent(20))
        {
            int first = 1 + world.Random.Below(segment.Data.Length - 1);
            _travelling.AddFirst((segment with { Data = segment.Data[first..] }, dueNs + 1000));
            segment = segment with { Data = segment.Data[..first] };
        }

        bool taken = !_peer._silent;
        _travellingBytes -= taken ? segment.Data.Length : 0;
        _peer.Arrive(segment);
        if (taken && _peer._closed)
        {
            RoomMade();
        }

        ScheduleDelivery();
    }
}
