using System.Net;

namespace MirrorD.Io.Simulated;

/// <summary>
/// The named networks between the nodes of a world, with stream connections and datagrams. A direction
/// between two nodes can be cut on one network: then nothing arrives and no error is seen. Datagrams are lost;
/// bytes of connections wait in flight, and once mended, a connection goes on where it was or stays silent for
/// ever, as the seed decides.
/// </summary>
public sealed partial class SimulatedNetwork
{
    private readonly SimulatedWorld _world;
    private readonly Dictionary<IPAddress, Place> _addresses = [];
    private readonly List<SimulatedListener> _listeners = [];
    private readonly List<SimulatedConnection> _connections = [];
    private int _nextPort = 32768;

    internal SimulatedNetwork(SimulatedWorld world) => _world = world;

    /// <summary>How long bytes travel between nodes, in nanoseconds from shortest to longest.</summary>
    public (long Shortest, long Longest) LatencyNs { get; set; } = (20_000, 150_000);

    /// <summary>Bytes that one direction of a connection holds before the sender has to wait.</summary>
    public int WindowBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// Resets all connections between two nodes, on all networks: both ends see it, bytes in flight are lost.
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

    internal void AddAddress(SimulatedNode node, IPAddress address, string network)
    {
        Know(network);
        _addresses[address] = new Place(node, network);
    }

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
        Place? target = new Place(loop.Node, "");
        if (endpoint is TcpEndpoint tcp)
        {
            if (tcp.LocalAddress is not null && !IsLocal(loop.Node, tcp.LocalAddress))
            {
                loop.CompleteSoon(operation, -Errno.EADDRNOTAVAIL);
                return;
            }

            target = IPAddress.IsLoopback(tcp.Address) ? target : _addresses.GetValueOrDefault(tcp.Address);
        }

        SimulatedEvent timeout = loop.AfterByClock(timeoutNs, () =>
        {
            operation.LoopState = null;
            operation.Complete(-Errno.ETIMEDOUT);
        });
        operation.LoopState = timeout;
        if (target is not null)
        {
            _world.Add(null, LatencyBetween(loop.Node, target.Node), () =>
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
        _datagramSockets.RemoveAll(socket => socket.Loop == loop);
        foreach (SimulatedConnection connection in _connections.FindAll(each => each.Loop == loop))
        {
            connection.EndWithProcess();
        }
    }

    internal void PowerLost(SimulatedLoop loop)
    {
        _listeners.RemoveAll(listener => listener.Loop == loop);
        _datagramSockets.RemoveAll(socket => socket.Loop == loop);
        foreach (SimulatedConnection connection in _connections.FindAll(each => each.Loop == loop))
        {
            connection.FallSilent();
        }
    }

    private void Knock(
        SimulatedLoop client, Place place, Endpoint endpoint, SimulatedEvent timeout, IoOperation operation)
    {
        (SimulatedNode target, string network) = place;
        if (!target.IsOn || !Passes(network, client.Node, target) || !Passes(network, target, client.Node))
        {
            return;
        }

        SimulatedListener? listener = Find(target, endpoint);
        var tcp = endpoint as TcpEndpoint;
        IPAddress? caller = tcp is null ? null : tcp.LocalAddress ?? AddressOf(client.Node, network);
        if (listener is { HasRoom: false } || listener?.IsLetIn(caller) == false)
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
        var near = new SimulatedConnection(_world, client, network, $"{target.Name} at {endpoint}", tcp?.Address);
        var far = new SimulatedConnection(
            _world, listener.Loop, network, $"{client.Node.Name} through {endpoint}", caller);
        near.Join(far);
        far.Join(near);
        _connections.Add(near);
        _connections.Add(far);
        listener.Offer(far);
        client.After(backNs, () => operation.Complete(0, near));
    }

    private IPAddress? AddressOf(SimulatedNode node, string network) =>
        _addresses.FirstOrDefault(each => each.Value.Node == node && each.Value.Network == network).Key;

    private bool IsLocal(SimulatedNode node, IPAddress address) => IPAddress.IsLoopback(address)
        || address.Equals(IPAddress.Any) || _addresses.GetValueOrDefault(address)?.Node == node;

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

    /// <summary>Whose address it is, and of which network; the name is empty within a host.</summary>
    private sealed record Place(SimulatedNode Node, string Network);
}
