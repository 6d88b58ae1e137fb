using System.Net;

namespace MirrorD.Io.Simulated;

/// <summary>
/// Stream connections between the nodes of a world. A direction between two nodes can be cut: then nothing
/// arrives, no error is seen, and bytes in flight wait; once mended, a connection goes on where it was or
/// stays silent for ever, as the seed decides.
/// </summary>
public sealed class SimulatedNetwork
{
    private readonly SimulatedWorld _world;
    private readonly Dictionary<IPAddress, SimulatedNode> _addresses = [];
    private readonly List<SimulatedListener> _listeners = [];
    private readonly List<SimulatedConnection> _connections = [];
    private readonly HashSet<(string From, string To)> _cuts = [];
    private int _nextPort = 32768;

    internal SimulatedNetwork(SimulatedWorld world) => _world = world;

    /// <summary>How long bytes travel between nodes, in nanoseconds from shortest to longest.</summary>
    public (long Shortest, long Longest) LatencyNs { get; set; } = (20_000, 150_000);

    /// <summary>Bytes that one direction of a connection holds before the sender has to wait.</summary>
    public int WindowBytes { get; set; } = 256 * 1024;

    /// <summary>True when nothing travels from one node to the other.</summary>
    public bool IsCut(string from, string to) => _cuts.Contains((from, to));

    /// <summary>Cuts one direction silently.</summary>
    public void CutOneWay(string from, string to)
    {
        if (_cuts.Add((from, to)))
        {
            _world.Note($"link {from} -> {to} cut");
        }
    }

    /// <summary>Cuts both directions silently.</summary>
    public void Cut(string one, string other)
    {
        CutOneWay(one, other);
        CutOneWay(other, one);
    }

    /// <summary>Mends both directions.</summary>
    public void Mend(string one, string other)
    {
        if (!_cuts.Remove((one, other)) & !_cuts.Remove((other, one)))
        {
            return;
        }

        _world.Note($"link {one} - {other} mended");
        foreach (SimulatedConnection connection in Between(one, other))
        {
            if (_world.Random.Percent(30))
            {
                connection.LoseOutgoing();
            }
            else
            {
                connection.ResumeOutgoing();
            }
        }
    }

    /// <summary>
    /// Resets all connections between two nodes: both ends see it, bytes in flight are lost.
    /// </summary>
    public void Reset(string one, string other)
    {
        _world.Note($"link {one} - {other} reset");
        foreach (SimulatedConnection connection in Between(one, other))
        {
            connection.LoseOutgoing();
            connection.Arrive(new Segment(SegmentKind.Reset, default));
        }
    }

    internal void AddAddress(SimulatedNode node, IPAddress address) => _addresses[address] = node;

    internal SimulatedListener Listen(SimulatedLoop loop, Endpoint endpoint)
    {
        if (endpoint is TcpEndpoint tcp)
        {
            if (!IsLocal(loop.Node, tcp.Address))
            {
                throw new IOException($"{tcp.Address}:{tcp.Port}: the address is not on this host");
            }

            endpoint = tcp.Port == 0 ? tcp with { Port = _nextPort++ } : tcp;
        }

        if (Find(loop.Node, endpoint) is not null)
        {
            throw new IOException($"{endpoint}: the address is in use");
        }

        var listener = new SimulatedListener(this, loop, endpoint);
        _listeners.Add(listener);
        return listener;
    }

    internal void Connect(SimulatedLoop loop, Endpoint endpoint, long timeoutNs, IoOperation operation)
    {
        SimulatedNode? target = loop.Node;
        if (endpoint is TcpEndpoint tcp)
        {
            if (tcp.LocalAddress is not null && !IsLocal(loop.Node, tcp.LocalAddress))
            {
                loop.CompleteSoon(operation, -Errno.EADDRNOTAVAIL);
                return;
            }

            target = IPAddress.IsLoopback(tcp.Address)
                ? loop.Node : _addresses.GetValueOrDefault(tcp.Address);
        }

        SimulatedEvent timeout = loop.After(timeoutNs, () =>
        {
            operation.LoopState = null;
            operation.Complete(-Errno.ETIMEDOUT);
        });
        operation.LoopState = timeout;
        if (target is not null)
        {
            _world.Add(null, LatencyBetween(loop.Node, target), () =>
            {
                if (operation.LoopState == timeout && !loop.IsDead)
                {
                    Knock(loop, target, endpoint, timeout, operation);
                }
            });
        }
    }

    internal long LatencyBetween(SimulatedNode from, SimulatedNode to) => from == to
        ? _world.Random.Between(2_000, 20_000)
        : _world.Random.Between(LatencyNs.Shortest, LatencyNs.Longest);

    internal void Forget(SimulatedListener listener) => _listeners.Remove(listener);

    internal void ProcessDied(SimulatedLoop loop)
    {
        _listeners.RemoveAll(listener => listener.Loop == loop);
        foreach (SimulatedConnection connection in _connections.FindAll(each => each.Loop == loop))
        {
            connection.EndWithProcess();
        }
    }

    internal void PowerLost(SimulatedLoop loop)
    {
        _listeners.RemoveAll(listener => listener.Loop == loop);
        foreach (SimulatedConnection connection in _connections.FindAll(each => each.Loop == loop))
        {
            connection.FallSilent();
        }
    }

    private void Knock(
        SimulatedLoop client, SimulatedNode target, Endpoint endpoint, SimulatedEvent timeout,
        IoOperation operation)
    {
        bool isCut = target != client.Node
            && (IsCut(client.Node.Name, target.Name) || IsCut(target.Name, client.Node.Name));
        if (!target.IsOn || isCut)
        {
            return;
        }

        SimulatedListener? listener = Find(target, endpoint);
        if (listener is { HasRoom: false })
        {
            return;
        }

        timeout.Cancel();
        operation.LoopState = null;
        long backNs = LatencyBetween(target, client.Node);
        if (listener is null)
        {
            client.After(backNs, () => operation.Complete(-Errno.ECONNREFUSED));
            return;
        }

        _connections.RemoveAll(connection => connection.IsOver);
        var near = new SimulatedConnection(_world, client, $"{target.Name} at {endpoint}");
        var far = new SimulatedConnection(_world, listener.Loop, $"{client.Node.Name} through {endpoint}");
        near.Join(far);
        far.Join(near);
        _connections.Add(near);
        _connections.Add(far);
        listener.Offer(far);
        client.After(backNs, () => operation.Complete(0, near));
    }

    private bool IsLocal(SimulatedNode node, IPAddress address) => IPAddress.IsLoopback(address)
        || address.Equals(IPAddress.Any) || _addresses.GetValueOrDefault(address) == node;

    private SimulatedListener? Find(SimulatedNode node, Endpoint endpoint) => _listeners.Find(listener =>
        listener.Loop.Node == node && (endpoint, listener.Endpoint) switch
        {
            (UnixEndpoint wanted, UnixEndpoint there) => wanted.Path == there.Path,
            (TcpEndpoint wanted, TcpEndpoint there) => wanted.Port == there.Port
                && (wanted.Address.Equals(there.Address) || there.Address.Equals(IPAddress.Any)),
            _ => false,
        });

    private List<SimulatedConnection> Between(string one, string other) => _connections.FindAll(connection =>
        (connection.Loop.Node.Name == one && connection.PeerNode.Name == other)
        || (connection.Loop.Node.Name == other && connection.PeerNode.Name == one));
}
