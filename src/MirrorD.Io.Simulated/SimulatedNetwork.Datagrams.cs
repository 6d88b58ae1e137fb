using System.Net;

namespace MirrorD.Io.Simulated;

/// <content>
/// Datagrams: each travels by itself and may be lost, delayed, doubled or overtaken. A host that is on and has
/// no socket for one says so to the sender.
/// </content>
public sealed partial class SimulatedNetwork
{
    private readonly List<SimulatedDatagramSocket> _datagramSockets = [];
    private readonly Queue<Action> _held = new();

    /// <summary>So many of a hundred datagrams, and of the refusals that answer them, never arrive.</summary>
    public int DatagramLossPercent { get; set; }

    /// <summary>So many of a hundred datagrams arrive twice.</summary>
    public int DatagramDuplicatePercent { get; set; }

    /// <summary>
    /// So many of a hundred datagrams are late, and others that were sent after them may arrive before.
    /// </summary>
    public int DatagramReorderPercent { get; set; }

    /// <summary>
    /// Asked for each datagram as it leaves, by its sender's node and its bytes: true holds it back until <see
    /// cref="ReleaseHeld"/>, as a queue that has stalled does.
    /// </summary>
    public Func<string, ReadOnlyMemory<byte>, bool>? Holds { get; set; }

    /// <summary>So much longer such a one takes at most, in nanoseconds; null: ten times the longest latency.</summary>
    public long? LongestDetourNs { get; set; }

    internal SimulatedDatagramSocket OpenDatagram(SimulatedLoop loop, UdpEndpoint endpoint)
    {
        string? cause =
            endpoint.LocalAddress.AddressFamily != endpoint.RemoteAddress.AddressFamily
                ? "the address families of both ends differ"
            : endpoint.LocalAddress.Equals(IPAddress.Any) || endpoint.LocalAddress.Equals(IPAddress.IPv6Any)
                ? "the local address is a wildcard"
            : !IsLocal(loop.Node, endpoint.LocalAddress) ? "the local address is not on this host" : null;
        if (cause is not null)
        {
            throw new IOException($"Cannot open UDP {endpoint.LocalAddress}:{endpoint.LocalPort} to "
                + $"{endpoint.RemoteAddress}:{endpoint.RemotePort}: {cause}");
        }

        endpoint = endpoint.LocalPort == 0 ? endpoint with { LocalPort = _nextPort++ } : endpoint;
        var socket = new SimulatedDatagramSocket(this, loop, endpoint);
        _datagramSockets.Add(socket);
        return socket;
    }

    internal void Forget(SimulatedDatagramSocket socket) => _datagramSockets.Remove(socket);

    /// <summary>Sets a datagram on its way. Returns 0, or a negative errno when there is no way.</summary>
    internal int Dispatch(SimulatedDatagramSocket socket, byte[] data)
    {
        UdpEndpoint endpoint = socket.Endpoint;
        SimulatedNode from = socket.Loop.Node;
        bool isLocal = IPAddress.IsLoopback(endpoint.RemoteAddress);
        Place? target = isLocal
            ? new Place(from, "") : _addresses.GetValueOrDefault(endpoint.RemoteAddress);
        if (target is null)
        {
            return 0; // Nobody answers for that address: it is lost without a word.
        }

        Place? source = _addresses.GetValueOrDefault(endpoint.LocalAddress);
        if (!isLocal && target.Node != from && source?.Network != target.Network)
        {
            return -Errno.ENETUNREACH;
        }

        int copies = _world.Random.Percent(DatagramDuplicatePercent) ? 2 : 1;
        for (; copies > 0; copies--)
        {
            if (Passes(target.Network, from, target.Node) && !_world.Random.Percent(DatagramLossPercent))
            {
                if (Holds?.Invoke(from.Name, data) == true)
                {
                    _held.Enqueue(() => Arrive(endpoint, from, target, data));
                    continue;
                }

                long travelNs = TravelNs(socket, from, target.Node);
                _world.Add(null, travelNs, () => Arrive(endpoint, from, target, data));
            }
        }

        return 0;
    }

    /// <summary>What was held back arrives now, in the order in which it left; nothing is held any more.</summary>
    public void ReleaseHeld()
    {
        Holds = null;
        for (int afterNs = 0; _held.TryDequeue(out Action? arrive); afterNs++)
        {
            _world.Add(null, afterNs, arrive);
        }
    }

    private long TravelNs(SimulatedDatagramSocket socket, SimulatedNode from, SimulatedNode to)
    {
        long dueNs = _world.NowNs + LatencyBetween(from, to);
        if (_world.Random.Percent(DatagramReorderPercent))
        {
            return dueNs + _world.Random.Between(1, LongestDetourNs ?? 10 * LatencyNs.Longest) - _world.NowNs;
        }

        socket.LastDueNs = Math.Max(dueNs, socket.LastDueNs + 1);
        return socket.LastDueNs - _world.NowNs;
    }

    private void Arrive(UdpEndpoint sender, SimulatedNode from, Place target, byte[] data)
    {
        if (!target.Node.IsOn || !Passes(target.Network, from, target.Node))
        {
            return;
        }

        if (FindDatagramSocket(
            target.Node, sender.RemoteAddress, sender.RemotePort, sender.LocalAddress, sender.LocalPort)
            is { } socket)
        {
            socket.Arrive(data);
            return;
        }

        if (!_world.Random.Percent(DatagramLossPercent))
        {
            _world.Add(null, LatencyBetween(target.Node, from), () => Refuse(sender, from, target));
        }
    }

    /// <summary>The sender's host hears that nobody listens.</summary>
    private void Refuse(UdpEndpoint sender, SimulatedNode from, Place target)
    {
        if (from.IsOn && Passes(target.Network, target.Node, from))
        {
            FindDatagramSocket(
                from, sender.LocalAddress, sender.LocalPort, sender.RemoteAddress, sender.RemotePort)
                ?.ArriveError(Errno.ECONNREFUSED);
        }
    }

    /// <summary>Of several sockets with the same ends the newest, as with Linux.</summary>
    private SimulatedDatagramSocket? FindDatagramSocket(
        SimulatedNode node, IPAddress local, int localPort, IPAddress remote, int remotePort) =>
        _datagramSockets.FindLast(socket => socket.Loop.Node == node
            && socket.Endpoint.LocalPort == localPort && socket.Endpoint.RemotePort == remotePort
            && socket.Endpoint.LocalAddress.Equals(local) && socket.Endpoint.RemoteAddress.Equals(remote));
}
