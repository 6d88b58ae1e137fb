using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

public sealed class LinkWatchTests : IDisposable
{
    private static readonly InterfaceAddress V4 = new("prod", IPAddress.Parse("10.98.1.10"), 32);
    private static readonly InterfaceAddress V6 = new("prod", IPAddress.Parse("fd00:98::10"), 128);

    private readonly NetworkNamespace _node = new();
    private readonly NetworkNamespace _other = new();
    private readonly LinkRecorder _told = new();
    private LinkWatch? _watch;

    public LinkWatchTests() => NetworkNamespace.Connect(_node, _other, "prod");

    public void Dispose()
    {
        _watch?.Dispose();
        _told.Dispose();
        _node.Dispose();
        _other.Dispose();
    }

    [RootFact("ip")]
    public void An_address_that_is_deleted_is_told_and_others_are_not()
    {
        Hold(V4, V6);
        _node.Ip("addr", "add", "10.98.1.11/32", "dev", "prod");
        _node.Ip("addr", "add", "10.98.1.10/32", "dev", "lo");
        Start();
        _node.Ip("addr", "del", "10.98.1.11/32", "dev", "prod");
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "lo");
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");
        Assert.Equal($"gone {V4}", _told.Next("the deletion of the v4 address"));
        _node.Ip("addr", "del", "fd00:98::10/128", "dev", "prod");
        Assert.Equal($"gone {V6}", _told.Next("the deletion of the v6 address"));
        Assert.Equal(0, _told.Left);
    }

    [RootFact("ip")]
    public void The_carrier_is_told_when_it_goes_and_when_it_comes()
    {
        Start();
        _other.Ip("link", "set", "prod", "down");
        Assert.Equal("carrier prod False", _told.Next("the lost carrier"));
        _other.Ip("link", "set", "prod", "up");
        Assert.Equal("carrier prod True", _told.Next("the carrier"));
    }

    [RootFact("ip")]
    public void Another_MAC_is_told()
    {
        Start();
        _node.Ip("link", "set", "prod", "address", "02:00:00:00:00:07");
        Assert.Equal("mac prod", _told.Next("the change of the MAC"));
    }

    [RootFact("ip")]
    public void Who_announces_a_watched_address_is_told_and_oneself_is_not()
    {
        Start();
        foreach (InterfaceAddress address in new[] { V4, V6 })
        {
            _node.Run(() => AddressAnnouncer.Announce("prod", address.Address));
            _other.Run(() => AddressAnnouncer.Announce("prod", IPAddress.Parse("10.98.1.11")));
            _other.Run(() => AddressAnnouncer.Announce("prod", IPAddress.Parse("fd00:99::10")));
            _other.Run(() => AddressAnnouncer.Announce("prod", address.Address));
            string expected = $"foreign {address} {_other.MacOf("prod")}";
            Assert.Equal(expected, _told.Next($"the announcement of {address}"));
            if (address == V4)
            {
                Assert.Equal(expected, _told.Next("the second form, the reply"));
            }
        }

        Assert.Equal(0, _told.Left);
    }

    [RootFact("ip")]
    public void A_claim_with_the_MAC_of_another_interface_of_this_host_is_not_foreign()
    {
        _node.AddInterface("second");
        Start();
        EthernetAddress second = default;
        _node.Run(() => second = NetworkDevice.EthernetAddressOf("second"));
        _other.Run(() =>
        {
            using var socket = new PacketSocket(
                "prod", NetworkDevice.IndexOf("prod"), IfEther.ETH_P_ARP, [], "second");
            byte[] frame = new byte[ArpFrame.LengthBytes];
            ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REPLY, second, V4.Address);
            socket.Send(frame);
            AddressAnnouncer.Announce("prod", V4.Address);
        });
        Assert.Equal($"foreign {V4} {_other.MacOf("prod")}", _told.Next("the real foreign announcement"));
    }

    [RootFact("ip")]
    public void An_interface_that_is_removed_and_comes_back_is_watched_again()
    {
        Hold(V4);
        Start();
        _node.Ip("link", "del", "prod");
        _told.WaitFor("carrier prod False");
        NetworkNamespace.Connect(_node, _other, "prod");
        _told.WaitFor("carrier prod True");
        _other.Run(() => AddressAnnouncer.Announce("prod", V6.Address));
        _told.WaitFor($"foreign {V6} {_other.MacOf("prod")}");
    }

    [RootFact("ip")]
    public void After_lost_messages_the_state_is_read_again()
    {
        Hold(V4, V6);
        using var blocks = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        _told.Told = _ =>
        {
            blocks.Set();
            mayGoOn.Wait(TimeSpan.FromSeconds(20));
        };
        Start();
        _node.Ip("addr", "del", "fd00:98::10/128", "dev", "prod");
        Assert.True(blocks.Wait(TimeSpan.FromSeconds(20)), "waited 20 s for the observer to be told");

        // More than the kernel keeps for who does not read.
        _node.Run(() =>
        {
            var address = new InterfaceAddress("lo", IPAddress.Parse("10.97.0.1"), 32);
            for (int i = 0; i < 2000; i++)
            {
                Assert.True(ServiceAddress.Add(address));
                Assert.True(ServiceAddress.Remove("lo", address.Address));
            }
        });
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");
        _other.Ip("link", "set", "prod", "down");
        _node.WaitUntilDown("prod");
        _told.Told = null;
        mayGoOn.Set();
        _told.WaitFor("carrier prod False");
        _told.WaitFor($"gone {V4}");
    }

    [RootFact("ip")]
    public void It_ends_promptly_also_when_the_observer_ends_it()
    {
        Hold(V4, V6);
        Start();
        _watch!.Dispose();
        _watch.Dispose();
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");

        _told.Told = _ => _watch.Dispose();
        Start();
        _node.Ip("addr", "del", "fd00:98::10/128", "dev", "prod");
        Assert.Equal($"gone {V6}", _told.Next("the deletion that ends the watch"));
        Assert.Equal(0, _told.Left);
    }

    private void Hold(params InterfaceAddress[] addresses) => _node.Run(() =>
    {
        foreach (InterfaceAddress address in addresses)
        {
            Assert.True(ServiceAddress.Add(address));
        }
    });

    private void Start() => _node.Run(() => _watch = new LinkWatch(["prod"], [V4, V6], _told));
}
