using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Network;

/// <summary>What of an interface changed.</summary>
[Flags]
internal enum LinkChange
{
    None = 0,
    Carrier = 1,
    Mac = 2,
}

/// <summary>
/// An interface that a <see cref="LinkWatch"/> looks at: its last state, and raw sockets that receive what
/// neighbours announce there.
/// </summary>
internal sealed class WatchedLink(string name, IReadOnlyCollection<IPAddress> addresses) : IDisposable
{
    // A flood of frames must not keep the watch from the rest.
    private const int FramesAtOnce = 64;

    private readonly IPAddress[] _v4 =
        [.. addresses.Where(address => KernelAddress.Family(address) == Socket.AF_INET)];

    private readonly IPAddress[] _v6 =
        [.. addresses.Where(address => KernelAddress.Family(address) == Socket.AF_INET6)];

    private EthernetAddress? _mac;
    private bool _hasCarrier;
    private PacketSocket? _arp;
    private PacketSocket? _neighbours;

    public string Name { get; } = name;

    /// <summary>Its index; 0: there is no such interface.</summary>
    public int Index { get; private set; }

    /// <summary>Descriptors for poll(2).</summary>
    public IEnumerable<int> Sources
    {
        get
        {
            PacketSocket?[] sockets = [_arp, _neighbours];
            return sockets.OfType<PacketSocket>().Select(socket => socket.Fd);
        }
    }

    /// <summary>Takes the state over and says what of it is new.</summary>
    public LinkChange Become(LinkInfo info)
    {
        LinkChange change = LinkChange.None;
        change |= _hasCarrier != info.HasCarrier ? LinkChange.Carrier : change;
        change |= _mac is not null && info.Mac is not null && _mac != info.Mac ? LinkChange.Mac : change;
        (_hasCarrier, _mac) = (info.HasCarrier, info.Mac);
        if (Index != info.Index)
        {
            Dispose();
            Index = info.Index;
            try
            {
                Listen();
            }
            catch (IOException failed) when (failed.HResult is LinuxError.ENODEV or LinuxError.ENXIO)
            {
                Dispose(); // It has gone meanwhile; the message that says so is on its way.
            }
        }

        return change;
    }

    /// <summary>The interface has gone; says what of its state is new.</summary>
    public LinkChange Leave()
    {
        LinkChange change = _hasCarrier ? LinkChange.Carrier : LinkChange.None;
        // Its MAC is kept, to compare with that of the next interface of this name.
        (Index, _hasCarrier) = (0, false);
        Dispose();
        return change;
    }

    /// <summary>Hands over who announced which address.</summary>
    /// <param name="memory">Of <see cref="PacketSocket.FrameBytes"/>.</param>
    /// <param name="announced">Told the address and who claims it.</param>
    public void Visit(byte[] memory, Action<IPAddress, EthernetAddress> announced)
    {
        for (int i = 0; i < FramesAtOnce && Take(_arp, memory, out ReadOnlySpan<byte> frame); i++)
        {
            if (ArpFrame.Read(frame) is { } arp)
            {
                announced(arp.Sender, arp.SenderMac);
            }
        }

        for (int i = 0; i < FramesAtOnce && Take(_neighbours, memory, out ReadOnlySpan<byte> frame); i++)
        {
            if (NeighbourFrame.Read(frame) is { Type: Icmp6.ND_NEIGHBOR_ADVERT } neighbour)
            {
                announced(neighbour.Target, neighbour.Mac);
            }
        }
    }

    public void Dispose()
    {
        _arp?.Dispose();
        _neighbours?.Dispose();
        (_arp, _neighbours) = (null, null);
    }

    private static bool Take(PacketSocket? socket, byte[] memory, out ReadOnlySpan<byte> frame)
    {
        frame = socket is null ? default : socket.Take(memory);
        return !frame.IsEmpty;
    }

    private void Listen()
    {
        if (_mac is null)
        {
            return; // Not Ethernet: it has no neighbours.
        }

        const string purpose = "Cannot watch for announcements";
        if (_v4.Length > 0)
        {
            sock_filter[] filter = PacketFilter.Arp(_v4, ArpFrame.SenderOffset);
            _arp = new PacketSocket(Name, Index, IfEther.ETH_P_ARP, filter, purpose);
        }

        if (_v6.Length > 0)
        {
            sock_filter[] filter = PacketFilter.Neighbour(_v6);
            _neighbours = new PacketSocket(Name, Index, IfEther.ETH_P_IPV6, filter, purpose);
        }
    }
}
