using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

public sealed class AddressAnnouncerTests
{
    private static readonly IPAddress V4 = IPAddress.Parse("10.98.1.10");
    private static readonly IPAddress V6 = IPAddress.Parse("fd00:98::10");
    private static readonly EthernetAddress Mac = new(0x02_11_22_33_44_55);

    [Fact]
    public void The_ARP_frames_have_the_bytes_of_the_standard()
    {
        byte[] frame = new byte[ArpFrame.LengthBytes];
        const string start = "FFFFFFFFFFFF" + "021122334455" + "0806" + "0001" + "0800" + "0604";

        ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REQUEST, Mac, V4);
        string request = Convert.ToHexString(frame);
        Assert.Equal(start + "0001" + "021122334455" + "0A62010A" + "000000000000" + "0A62010A", request);

        ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REPLY, Mac, V4);
        string reply = Convert.ToHexString(frame);
        Assert.Equal(start + "0002" + "021122334455" + "0A62010A" + "021122334455" + "0A62010A", reply);

        ArpFrame.WriteRequest(frame, Mac, IPAddress.Any, V4);
        string probe = Convert.ToHexString(frame);
        Assert.Equal(start + "0001" + "021122334455" + "00000000" + "000000000000" + "0A62010A", probe);
    }

    [Fact]
    public void The_frames_of_neighbour_discovery_have_the_bytes_of_the_standard()
    {
        byte[] frame = new byte[NeighbourFrame.MaxLengthBytes];
        const string address = "FD000098000000000000000000000010";
        int length = NeighbourFrame.WriteAdvertisement(frame, Mac, V6, isRouter: true);
        string advertisement = Convert.ToHexString(frame.AsSpan(0, length));
        Assert.Equal(
            "333300000001" + "021122334455" + "86DD" + "60000000" + "0020" + "3A" + "FF"
            + address + "FF020000000000000000000000000001"
            + "8800" + "72B4" + "A0000000" + address + "0201" + "021122334455",
            advertisement);

        length = NeighbourFrame.WriteSolicitation(frame, Mac, IPAddress.IPv6Any, V6);
        string probe = Convert.ToHexString(frame.AsSpan(0, length));
        Assert.Equal(
            "3333FF000010" + "021122334455" + "86DD" + "60000000" + "0018" + "3A" + "FF"
            + "00000000000000000000000000000000" + "FF0200000000000000000001FF000010"
            + "8700" + "7CEF" + "00000000" + address,
            probe);
    }

    [Fact]
    public void A_frame_of_neighbour_discovery_that_is_not_valid_says_nothing()
    {
        byte[] frame = new byte[NeighbourFrame.MaxLengthBytes];
        NeighbourFrame.WriteAdvertisement(frame, Mac, V6, isRouter: false);
        NeighbourMessage? whole = NeighbourFrame.Read(frame);
        var allNodes = IPAddress.Parse("ff02::1");
        Assert.Equal(new NeighbourMessage(Icmp6.ND_NEIGHBOR_ADVERT, Mac, V6, allNodes, V6, IsSolicited: false), whole);

        // Next header, hop limit, type, code, checksum, and a length that is not there.
        foreach (int offset in new[] { 20, 21, 54, 55, 56, 19 })
        {
            byte[] damaged = [.. frame];
            damaged[offset] ^= 0x40;
            Assert.Null(NeighbourFrame.Read(damaged));
        }

        Assert.Null(NeighbourFrame.Read(frame.AsSpan(0, frame.Length - 1)));
    }

    [RootFact("ip", "tcpdump")]
    public void Request_and_reply_are_on_the_wire_and_the_neighbour_learns_them()
    {
        using var node = new NetworkNamespace();
        using var client = new NetworkNamespace();
        NetworkNamespace.Connect(node, client, "prod");
        string mac = node.MacOf("prod");

        // The client talked to another host under this address before.
        client.Ip("addr", "add", "10.98.1.1/24", "dev", "prod");
        client.Ip(
            "neigh", "replace", $"{V4}", "lladdr", "02:00:00:00:00:99", "dev", "prod", "nud", "stale");
        using var capture = new PacketCapture(client, "prod", "arp", 2);

        node.Run(() => AddressAnnouncer.Announce("prod", V4));
        string request = capture.Next("an ARP request");
        string reply = capture.Next("an ARP reply");

        Assert.Contains($"{mac} > ff:ff:ff:ff:ff:ff", request, StringComparison.Ordinal);
        Assert.Contains($"Request who-has {V4} tell {V4}", request, StringComparison.Ordinal);
        Assert.Contains($"{mac} > ff:ff:ff:ff:ff:ff", reply, StringComparison.Ordinal);
        Assert.Contains($"Reply {V4} is-at {mac}", reply, StringComparison.Ordinal);
        client.WaitForNeighbour(V4, mac);
    }

    [RootTheory("ip", "tcpdump")]
    [InlineData(false)]
    [InlineData(true)]
    public void An_advertisement_is_on_the_wire_and_the_neighbour_learns_it(bool isRouter)
    {
        using var node = new NetworkNamespace();
        using var client = new NetworkNamespace();
        NetworkNamespace.Connect(node, client, "prod");
        string mac = node.MacOf("prod");
        node.Run(() => File.WriteAllText("/proc/sys/net/ipv6/conf/prod/forwarding", isRouter ? "1" : "0"));
        client.Ip("addr", "add", "fd00:98::1/64", "dev", "prod", "nodad");
        client.Ip(
            "neigh", "replace", $"{V6}", "lladdr", "02:00:00:00:00:99", "dev", "prod", "nud", "stale");
        using var capture = new PacketCapture(client, "prod", $"icmp6 and src host {V6}", 1);

        node.Run(() => AddressAnnouncer.Announce("prod", V6));
        string packet = capture.Next("a neighbour advertisement");

        Assert.Contains($"{mac} > 33:33:00:00:00:01", packet, StringComparison.Ordinal);
        Assert.Contains($"{V6} > ff02::1", packet, StringComparison.Ordinal);
        Assert.Contains($"neighbor advertisement, tgt is {V6}", packet, StringComparison.Ordinal);
        client.WaitForNeighbour(V6, mac);
        string known = client.Ip("neigh", "show", $"{V6}");
        Assert.Equal(isRouter, known.Contains("router", StringComparison.Ordinal));
    }

    [RootFact("ip")]
    public void What_cannot_announce_is_refused_with_its_cause()
    {
        using var host = new NetworkNamespace();
        host.AddInterface("prod");
        host.Ip("link", "set", "prod", "down");
        host.Run(() =>
        {
            foreach (IPAddress address in new[] { V4, V6 })
            {
                Assert.Contains("not Ethernet", Refusal("lo", address), StringComparison.Ordinal);
                Assert.Contains("no network interface absent", Refusal("absent", address), StringComparison.Ordinal);
                Assert.Contains("'ip link set prod up'", Refusal("prod", address), StringComparison.Ordinal);
            }
        });
    }

    private static string Refusal(string interfaceName, IPAddress address) =>
        Assert.Throws<IOException>(() => AddressAnnouncer.Announce(interfaceName, address)).Message;
}
