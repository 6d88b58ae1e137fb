using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

public sealed class NeighbourProbeTests : IDisposable
{
    private const string V4 = "10.98.1.10";
    private const string V6 = "fd00:98::10";

    private readonly NetworkNamespace _node = new();
    private readonly NetworkNamespace _other = new();

    public NeighbourProbeTests() => NetworkNamespace.Connect(_node, _other, "prod");

    public void Dispose()
    {
        _node.Dispose();
        _other.Dispose();
    }

    [RootTheory("ip")]
    [InlineData(V4)]
    [InlineData(V6)]
    public void A_host_without_any_daemon_answers_for_an_address_that_it_holds(string address)
    {
        string prefix = address == V4 ? "32" : "128";
        _other.Ip("addr", "add", $"{address}/{prefix}", "dev", "prod");
        _other.WaitUntilUsable("prod");
        Assert.Equal(_other.MacOf("prod"), WhoHas(address)?.ToString());
    }

    [RootTheory("ip", "tcpdump")]
    [InlineData(V4)]
    [InlineData(V6)]
    public void Nobody_answers_three_probes_that_change_nobodys_table(string address)
    {
        // Asks in another way after the probes, so that a fourth one would be seen before it.
        string filter = address == V4 ? "arp" : $"icmp6 and ip6[40] == 135 and ip6[60:4] == 0x10";
        using var capture = new PacketCapture(_other, "prod", filter, 4);
        Assert.Null(WhoHas(address));
        Assert.DoesNotContain(_node.MacOf("prod"), _other.Ip("neigh", "show"), StringComparison.Ordinal);
        IPAddress sender = IPAddress.Parse(address == V4 ? "10.98.1.2" : "fd00:98::2");
        _node.Run(() => NeighbourProbe.Ask("prod", IPAddress.Parse(address), sender, 1, CancellationToken.None));

        string asked = address == V4 ? $"who-has {V4} tell 0.0.0.0" : $"who has {V6}";
        string from = address == V4 ? "" : ":: > ff02::1:ff00:10";
        for (int i = 0; i < 3; i++)
        {
            string packet = capture.Next("a probe");
            Assert.Contains(asked, packet, StringComparison.Ordinal);
            Assert.Contains(from, packet, StringComparison.Ordinal);
            Assert.Contains(_node.MacOf("prod"), packet, StringComparison.Ordinal);
        }

        Assert.Contains($"{sender}", capture.Next("the question with a sender"), StringComparison.Ordinal);
    }

    [RootTheory("ip")]
    [InlineData("10.98.1.2", "10.98.1.1", "24")]
    [InlineData("fd00:98::2", "fd00:98::1", "64")]
    [InlineData("fe80::98:2", "fe80::98:1", "64")]
    public void The_gateway_answers_a_question_that_has_a_sender(string own, string gateway, string prefix)
    {
        _node.Ip("addr", "add", $"{own}/{prefix}", "dev", "prod");
        Assert.Null(Ask(gateway, own, limitMs: 250));

        _other.Ip("addr", "add", $"{gateway}/{prefix}", "dev", "prod");
        _other.WaitUntilUsable("prod");
        Assert.Equal(_other.MacOf("prod"), Ask(gateway, own, limitMs: 20_000)?.ToString());
        if (own.StartsWith("fe80", StringComparison.Ordinal))
        {
            // With the zone that an address of the link has in a configuration.
            Assert.Equal(_other.MacOf("prod"), Ask($"{gateway}%1", $"{own}%1", limitMs: 20_000)?.ToString());
        }
    }

    [RootTheory("ip")]
    [InlineData("10.98.1.2", "10.98.1.1", "10.98.1.3")]
    [InlineData("fd00:98::2", "fd00:98::1", "fd00:98::3")]
    public void A_gateway_that_is_heard_and_does_not_answer_says_nothing(string own, string gateway, string third)
    {
        // It does not hear this host: its own questions, to whomever, are no answers.
        using var stop = new CancellationTokenSource();
        using var speaks = new ManualResetEventSlim();
        var speaker = new Thread(() => _other.Run(() => SpeakAsGateway(
            IPAddress.Parse(gateway), [IPAddress.Parse(own), IPAddress.Parse(third)], speaks, stop.Token)));
        speaker.Start();
        Assert.True(speaks.Wait(TimeSpan.FromSeconds(20)), "waited 20 s for the gateway to speak");
        try
        {
            Assert.Null(Ask(gateway, own, limitMs: 500));
        }
        finally
        {
            stop.Cancel();
            speaker.Join();
        }
    }

    [RootTheory("ip")]
    [InlineData(V4)]
    [InlineData(V6)]
    public void Another_host_that_probes_for_the_same_address_counts_as_an_answer(string address)
    {
        using var stop = new CancellationTokenSource();
        var other = new Thread(() => _other.Run(() => ProbeOnAndOn(IPAddress.Parse(address), stop.Token)));
        other.Start();
        EthernetAddress? seen = null;
        _node.Run(() => seen =
            NeighbourProbe.WhoHas("prod", IPAddress.Parse(address), CancellationToken.None, count: 200));
        stop.Cancel();
        other.Join();
        Assert.Equal(_other.MacOf("prod"), seen?.ToString());
    }

    [RootTheory("ip")]
    [InlineData(V4)]
    [InlineData(V6)]
    public void A_question_that_comes_back_is_no_answer(string address)
    {
        // A switch with a loop.
        using var stop = new CancellationTokenSource();
        int returned = 0;
        using var listens = new ManualResetEventSlim();
        var loop = new Thread(() => _other.Run(() => SendEverythingBack(listens, stop.Token, ref returned)));
        loop.Start();
        Assert.True(listens.Wait(TimeSpan.FromSeconds(20)), "waited 20 s for the loop to listen");
        EthernetAddress? seen = null;
        _node.Run(() => seen =
            NeighbourProbe.WhoHas("prod", IPAddress.Parse(address), stop.Token, count: 20, intervalMs: 50));
        stop.Cancel();
        loop.Join();
        Assert.True(returned >= 3, $"only {returned} frames came back");
        Assert.Null(seen);
    }

    [RootFact("ip")]
    public void It_can_be_cancelled()
    {
        using var stop = new CancellationTokenSource();
        var clock = Stopwatch.StartNew();
        _node.Run(() =>
        {
            stop.CancelAfter(50);
            Assert.Throws<OperationCanceledException>(() =>
                NeighbourProbe.WhoHas("prod", IPAddress.Parse(V4), stop.Token, count: 1, intervalMs: 60_000));
            Assert.Throws<OperationCanceledException>(() => NeighbourProbe.Ask(
                "prod", IPAddress.Parse(V4), IPAddress.Parse("10.98.1.2"), 60_000, stop.Token));
        });
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"took {clock.Elapsed}");
    }

    [RootFact("ip")]
    public void Where_nothing_can_be_asked_silence_is_not_taken_for_an_answer()
    {
        _other.Ip("link", "set", "prod", "down");
        foreach ((string name, string cause) in new[]
        {
            ("absent", "no network interface absent"),
            ("lo", "lo is not Ethernet"),
            ("prod", "prod: it has no carrier"),
        })
        {
            foreach (string address in new[] { V4, V6 })
            {
                IOException? refusal = null;
                _node.Run(() => refusal = Assert.Throws<IOException>(
                    () => NeighbourProbe.WhoHas(name, IPAddress.Parse(address), CancellationToken.None)));
                Assert.Contains(cause, refusal!.Message, StringComparison.Ordinal);
            }
        }
    }

    [RootFact("ip")]
    public void A_carrier_that_goes_while_it_is_asked_is_told()
    {
        Assert.True(HasCarrier());
        IOException? refusal = null;
        var probe = new Thread(() => _node.Run(() => refusal = Assert.Throws<IOException>(
            () => NeighbourProbe.WhoHas("prod", IPAddress.Parse(V4), CancellationToken.None, 200, 10))));
        probe.Start();
        _other.Ip("link", "set", "prod", "down");
        probe.Join();
        Assert.Contains("10.98.1.10 on prod: ", refusal!.Message, StringComparison.Ordinal);
        Assert.Contains("t has no carrier", refusal.Message, StringComparison.Ordinal);
        Assert.False(HasCarrier());
    }

    private bool HasCarrier()
    {
        bool has = false;
        _node.Run(() => has = NetworkDevice.HasCarrier("prod"));
        return has;
    }

    private EthernetAddress? WhoHas(string address)
    {
        EthernetAddress? owner = null;
        _node.Run(() => owner =
            NeighbourProbe.WhoHas("prod", IPAddress.Parse(address), CancellationToken.None));
        return owner;
    }

    private EthernetAddress? Ask(string neighbour, string sender, int limitMs)
    {
        EthernetAddress? answer = null;
        _node.Run(() => answer = NeighbourProbe.Ask(
            "prod", IPAddress.Parse(neighbour), IPAddress.Parse(sender), limitMs, CancellationToken.None));
        return answer;
    }

    private static void ProbeOnAndOn(IPAddress address, CancellationToken stop)
    {
        EthernetAddress mac = NetworkDevice.EthernetAddressOf("prod");
        bool isV4 = address.GetAddressBytes().Length == 4;
        using var socket = new PacketSocket(
            "prod", NetworkDevice.IndexOf("prod"), isV4 ? IfEther.ETH_P_ARP : IfEther.ETH_P_IPV6, [], "probe");
        byte[] frame = new byte[NeighbourFrame.MaxLengthBytes];
        int length = ArpFrame.LengthBytes;
        if (isV4)
        {
            ArpFrame.WriteRequest(frame, mac, IPAddress.Any, address);
        }
        else
        {
            length = NeighbourFrame.WriteSolicitation(frame, mac, IPAddress.IPv6Any, address);
        }

        do
        {
            socket.Send(frame.AsSpan(0, length));
        }
        while (!stop.WaitHandle.WaitOne(10));
    }

    private static void SpeakAsGateway(
        IPAddress gateway, IPAddress[] asked, ManualResetEventSlim speaks, CancellationToken stop)
    {
        EthernetAddress mac = NetworkDevice.EthernetAddressOf("prod");
        bool isV4 = gateway.GetAddressBytes().Length == 4;
        using var socket = new PacketSocket(
            "prod", NetworkDevice.IndexOf("prod"), isV4 ? IfEther.ETH_P_ARP : IfEther.ETH_P_IPV6, [], "speak");
        byte[] frame = new byte[NeighbourFrame.MaxLengthBytes];
        do
        {
            foreach (IPAddress address in asked)
            {
                if (isV4)
                {
                    // A question to this host or another one, an announcement, an answer to the other one that a switch floods.
                    ArpFrame.WriteRequest(frame, mac, gateway, address);
                    socket.Send(frame.AsSpan(0, ArpFrame.LengthBytes));
                    ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REPLY, mac, gateway);
                    socket.Send(frame.AsSpan(0, ArpFrame.LengthBytes));
                    ArpFrame.WriteRequest(frame, mac, gateway, asked[^1]);
                    frame[21] = (byte)IfArp.ARPOP_REPLY;
                    socket.Send(frame.AsSpan(0, ArpFrame.LengthBytes));
                }
                else
                {
                    // An announcement to all; to this host, not solicited; to the other one, solicited.
                    int length = NeighbourFrame.WriteAdvertisement(frame, mac, gateway, isRouter: true);
                    socket.Send(frame.AsSpan(0, length));
                    byte[] to = address.GetAddressBytes();
                    for (int i = 0; i < to.Length; i += 2)
                    {
                        Change(frame, 38 + i, BinaryPrimitives.ReadUInt16BigEndian(to.AsSpan(i)));
                    }

                    if (address.Equals(asked[^1]))
                    {
                        Change(frame, 58, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(58)) | 0x4000));
                    }

                    Assert.NotNull(NeighbourFrame.Read(frame));
                    socket.Send(frame.AsSpan(0, length));
                }

                speaks.Set();
            }
        }
        while (!stop.WaitHandle.WaitOne(10));
    }

    /// <summary>Another word that the checksum covers (RFC 1624, equation 3).</summary>
    private static void Change(byte[] frame, int offset, ushort word)
    {
        uint sum = (uint)(ushort)~BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(56))
            + (ushort)~BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(offset)) + word;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(56), (ushort)~sum);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(offset), word);
    }

    private static void SendEverythingBack(
        ManualResetEventSlim listens, CancellationToken stop, ref int returned)
    {
        IPAddress[] both = [IPAddress.Parse(V4), IPAddress.Parse(V6)];
        int index = NetworkDevice.IndexOf("prod");
        using var arp = new PacketSocket(
            "prod", index, IfEther.ETH_P_ARP, PacketFilter.Arp(both[..1], ArpFrame.TargetOffset), "loop");
        using var neighbours = new PacketSocket(
            "prod", index, IfEther.ETH_P_IPV6, PacketFilter.Neighbour(both[1..]), "loop");
        byte[] memory = new byte[PacketSocket.FrameBytes];
        listens.Set();
        while (!stop.IsCancellationRequested)
        {
            WakeSignal.Poll(
                [new() { fd = arp.Fd, events = Poll.POLLIN }, new() { fd = neighbours.Fd, events = Poll.POLLIN }],
                timeoutMs: 10);
            foreach (PacketSocket socket in new[] { arp, neighbours })
            {
                ReadOnlySpan<byte> frame = socket.Take(memory);
                if (!frame.IsEmpty)
                {
                    socket.Send(frame);
                    returned++;
                }
            }
        }
    }
}
