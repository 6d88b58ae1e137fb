using System.Diagnostics;
using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

public sealed class ArpAnnouncerTests
{
    private static readonly IPAddress Address = IPAddress.Parse("10.98.1.10");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void The_frames_have_the_bytes_of_the_standard()
    {
        byte[] mac = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55];
        byte[] frame = new byte[ArpFrame.LengthBytes];
        const string start = "FFFFFFFFFFFF" + "021122334455" + "0806" + "0001" + "0800" + "0604";

        ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REQUEST, mac, Address);
        string request = Convert.ToHexString(frame);
        Assert.Equal(start + "0001" + "021122334455" + "0A62010A" + "000000000000" + "0A62010A", request);

        ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REPLY, mac, Address);
        string reply = Convert.ToHexString(frame);
        Assert.Equal(start + "0002" + "021122334455" + "0A62010A" + "021122334455" + "0A62010A", reply);
    }

    [RootFact("ip", "tcpdump")]
    public void Request_and_reply_are_on_the_wire_and_the_neighbour_learns_them()
    {
        using var node = new NetworkNamespace();
        using var client = new NetworkNamespace();
        NetworkNamespace.Connect(node, client, "prod");
        string mac = LinkAddress(node);

        // The client talked to another host under this address before.
        client.Ip("addr", "add", "10.98.1.1/24", "dev", "prod");
        client.Ip(
            "neigh", "replace", $"{Address}", "lladdr", "02:00:00:00:00:99", "dev", "prod", "nud", "stale");
        using Process capture = StartCapture(client);

        node.Run(() => ArpAnnouncer.Announce("prod", Address));
        string request = capture.StandardOutput.ReadLine() ?? "";
        string reply = capture.StandardOutput.ReadLine() ?? "";
        Assert.True(capture.WaitForExit(Patience), "waited 20 s for two ARP frames");

        Assert.Contains($"{mac} > ff:ff:ff:ff:ff:ff", request, StringComparison.Ordinal);
        Assert.Contains($"Request who-has {Address} tell {Address}", request, StringComparison.Ordinal);
        Assert.Contains($"{mac} > ff:ff:ff:ff:ff:ff", reply, StringComparison.Ordinal);
        Assert.Contains($"Reply {Address} is-at {mac}", reply, StringComparison.Ordinal);
        Assert.Contains($"lladdr {mac}", client.Ip("neigh", "show", $"{Address}"), StringComparison.Ordinal);
    }

    [RootFact("ip")]
    public void What_cannot_announce_is_refused_with_its_cause()
    {
        using var host = new NetworkNamespace();
        host.AddInterface("prod");
        host.Ip("link", "set", "prod", "down");
        host.Run(() =>
        {
            Assert.Contains("not Ethernet", Refusal("lo"), StringComparison.Ordinal);
            Assert.Contains("no network interface absent", Refusal("absent"), StringComparison.Ordinal);
            Assert.Contains("'ip link set prod up'", Refusal("prod"), StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => ArpAnnouncer.Announce("prod", IPAddress.IPv6Loopback));
        });
    }

    private static string Refusal(string interfaceName) =>
        Assert.Throws<IOException>(() => ArpAnnouncer.Announce(interfaceName, Address)).Message;

    private static string LinkAddress(NetworkNamespace host)
    {
        string[] words = host.Ip("-o", "link", "show", "dev", "prod").Split(' ');
        return words[Array.IndexOf(words, "link/ether") + 1];
    }

    /// <summary>tcpdump of two ARP frames at the client, once it says that it listens.</summary>
    private static Process StartCapture(NetworkNamespace client)
    {
        var start = new ProcessStartInfo("nsenter", [
            client.EnterOption,
            "timeout", "20", "tcpdump", "-i", "prod", "-Q", "in", "-c", "2", "-e", "-n", "-l", "arp"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process capture = Process.Start(start)!;
        string? line;
        do
        {
            line = capture.StandardError.ReadLine();
            Assert.True(line is not null, "tcpdump ended before it listened");
        }
        while (!line.Contains("listening on", StringComparison.Ordinal));
        return capture;
    }
}
