using System.Diagnostics;
using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Asks the neighbours of an interface who has an address: by ARP for IPv4, by neighbour solicitation for
/// IPv6. Blocks its caller: meant for a thread of its own.
/// </summary>
public sealed class NeighbourProbe : IDisposable
{
    private readonly string _interface;
    private readonly IPAddress _address;
    private readonly IPAddress? _sender;
    private readonly bool _isV4;
    private readonly EthernetAddress _mac;
    private readonly PacketSocket _socket;
    private readonly WakeSignal _stopped;
    private readonly byte[] _received = new byte[PacketSocket.FrameBytes];

    private NeighbourProbe(string interfaceName, IPAddress address, IPAddress? sender)
    {
        _interface = interfaceName;

        // Without zone, as frames have them.
        _address = new IPAddress(address.GetAddressBytes());
        _sender = sender is null ? null : new IPAddress(sender.GetAddressBytes());
        _isV4 = KernelAddress.Family(address) == Socket.AF_INET;
        RequireCarrier();
        _mac = NetworkDevice.EthernetAddressOf(interfaceName);
        _socket = new PacketSocket(
            interfaceName, NetworkDevice.IndexOf(interfaceName),
            _isV4 ? IfEther.ETH_P_ARP : IfEther.ETH_P_IPV6,
            _isV4
                ? PacketFilter.Arp([address], ArpFrame.SenderOffset, ArpFrame.TargetOffset)
                : PacketFilter.Neighbour([address]),
            $"Cannot ask who has {address}");
        try
        {
            if (!_isV4)
            {
                // Another host's probe for the same address goes to this group.
                _socket.Join(NeighbourFrame.MacOf(NeighbourFrame.SolicitedNodeGroup(address)));
            }

            _stopped = new WakeSignal();
        }
        catch (IOException)
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks for an address without having one (RFC 5227, section 2.1.1; RFC 4862, section 5.4): nobody's table
    /// changes. Another host that probes for the same address at this time counts as an answer.
    /// </summary>
    /// <param name="interfaceName">Interface to ask on.</param>
    /// <param name="address">The address, v4 or v6.</param>
    /// <param name="stop">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    /// <param name="count">How often to ask.</param>
    /// <param name="intervalMs">Pause after each question, also after the last, in milliseconds.</param>
    /// <returns>Who answered first, or null: nobody did.</returns>
    /// <exception cref="IOException">
    /// It could not be asked, so that silence says nothing: the message names the interface and the cause.
    /// </exception>
    public static EthernetAddress? WhoHas(
        string interfaceName, IPAddress address, CancellationToken stop, int count = 3, int intervalMs = 100)
    {
        using var probe = new NeighbourProbe(interfaceName, address, sender: null);
        using CancellationTokenRegistration registration = stop.Register(probe._stopped.Raise);
        for (int asked = 0; asked < count; asked++)
        {
            if (probe.Ask(intervalMs, stop) is { } owner)
            {
                return owner;
            }
        }

        probe.RequireCarrier(); // Lost meanwhile, an answer could not have come.
        return null;
    }

    /// <summary>
    /// Asks a neighbour, e.g. the gateway, from an address of this host, again and again until it answers. Only an answer to this
    /// host counts: what the neighbour says of itself or asks others is heard even where it hears nothing from here.
    /// </summary>
    /// <param name="interfaceName">Interface to ask on.</param>
    /// <param name="neighbour">Address of the neighbour, v4 or v6.</param>
    /// <param name="sender">Address of this host on the interface, of the same family.</param>
    /// <param name="limitMs">How long to wait in all, in milliseconds.</param>
    /// <param name="stop">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    /// <param name="intervalMs">Pause between two questions, in milliseconds.</param>
    /// <returns>Who answered, or null: nobody did.</returns>
    /// <exception cref="IOException">
    /// It could not be asked: the message names the interface and the cause, e.g. a lost carrier.
    /// </exception>
    public static EthernetAddress? Ask(
        string interfaceName, IPAddress neighbour, IPAddress sender, int limitMs, CancellationToken stop,
        int intervalMs = 100)
    {
        using var probe = new NeighbourProbe(interfaceName, neighbour, sender);
        using CancellationTokenRegistration registration = stop.Register(probe._stopped.Raise);
        long start = Stopwatch.GetTimestamp();
        for (int leftMs = limitMs; leftMs > 0; leftMs = limitMs - ElapsedMs(start))
        {
            if (probe.Ask(int.Min(intervalMs, leftMs), stop) is { } owner)
            {
                return owner;
            }
        }

        probe.RequireCarrier();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _stopped.Dispose();
    }

    private static int ElapsedMs(long start) => (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds;

    /// <summary>One question and its wait.</summary>
    private EthernetAddress? Ask(int waitMs, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        Send();
        long start = Stopwatch.GetTimestamp();
        Span<pollfd> descriptors =
        [
            new() { fd = _stopped.Fd, events = Poll.POLLIN },
            new() { fd = _socket.Fd, events = Poll.POLLIN },
        ];
        do
        {
            WakeSignal.Poll(descriptors, int.Max(0, waitMs - ElapsedMs(start)));
            stop.ThrowIfCancellationRequested();
            for (
                ReadOnlySpan<byte> frame = _socket.Take(_received);
                !frame.IsEmpty;
                frame = _socket.Take(_received))
            {
                if (Owner(frame) is { } owner && owner != _mac)
                {
                    return owner;
                }
            }
        }
        while (ElapsedMs(start) < waitMs);
        return null;
    }

    private void Send()
    {
        Span<byte> frame = stackalloc byte[NeighbourFrame.MaxLengthBytes];
        int length = ArpFrame.LengthBytes;
        if (_isV4)
        {
            ArpFrame.WriteRequest(frame, _mac, _sender ?? IPAddress.Any, _address);
        }
        else
        {
            length = NeighbourFrame.WriteSolicitation(frame, _mac, _sender ?? IPAddress.IPv6Any, _address);
        }

        _socket.Send(frame[..length]);
    }

    /// <summary>
    /// Who answers in this frame; to a probe also who uses the address, or is about to take it.
    /// </summary>
    private EthernetAddress? Owner(ReadOnlySpan<byte> frame)
    {
        if (_isV4)
        {
            return ArpFrame.Read(frame) is { } arp && (_sender is null ? Uses(arp) : Answers(arp)) ? arp.SenderMac : null;
        }

        return NeighbourFrame.Read(frame) is { } neighbour && (_sender is null ? Uses(neighbour) : Answers(neighbour))
            ? neighbour.Mac
            : null;
    }

    private bool Answers(in ArpMessage arp) =>
        arp.Operation == IfArp.ARPOP_REPLY && arp.Sender.Equals(_address) && arp.Target.Equals(_sender);

    private bool Answers(in NeighbourMessage neighbour) =>
        neighbour is { Type: Icmp6.ND_NEIGHBOR_ADVERT, IsSolicited: true }
        && neighbour.Target.Equals(_address)
        && neighbour.Destination.Equals(_sender);

    private bool Uses(in ArpMessage arp) =>
        arp.Sender.Equals(_address) || (arp.Target.Equals(_address) && arp.Sender.Equals(IPAddress.Any));

    private bool Uses(in NeighbourMessage neighbour) =>
        neighbour.Target.Equals(_address)
        && (neighbour.Type == Icmp6.ND_NEIGHBOR_ADVERT || neighbour.Sender.Equals(IPAddress.IPv6Any));

    private void RequireCarrier()
    {
        if (!NetworkDevice.HasCarrier(_interface))
        {
            throw new IOException(
                $"Cannot ask who has {_address} on {_interface}: it has no carrier: " +
                $"see 'ip link show {_interface}'.");
        }
    }
}
