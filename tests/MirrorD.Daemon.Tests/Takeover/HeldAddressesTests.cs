using System.Globalization;
using System.Net;
using MirrorD.Configuration;
using MirrorD.Daemon.Takeover;
using MirrorD.Io.Linux.Network;
using MirrorD.Io.Tests.Linux;

namespace MirrorD.Daemon.Tests.Takeover;

/// <summary>Service addresses in a network namespace, with a neighbour in another one.</summary>
public sealed class HeldAddressesTests : IDisposable
{
    private static readonly ServiceAddressConfiguration V4 = new(IPAddress.Parse("10.98.1.10"), 32, "prod");
    private static readonly ServiceAddressConfiguration V6 = new(IPAddress.Parse("fd00:98::10"), 128, "prod");

    private readonly NetworkNamespace _node = new();
    private readonly NetworkNamespace _client = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly Happenings _events = new();
    private readonly CancellationTokenSource _right = new();
    private readonly List<HeldAddresses> _made = [];

    public HeldAddressesTests()
    {
        NetworkNamespace.Connect(_node, _client, "prod");
        _client.Ip("addr", "add", "10.98.1.1/24", "dev", "prod");
        _client.Ip("addr", "add", "fd00:98::1/64", "dev", "prod", "nodad");
    }

    private string ListFile => Path.Combine(_directory.Root, "mail", "held-addresses");

    public void Dispose()
    {
        foreach (HeldAddresses held in _made)
        {
            held.Release().Wait();
            held.Dispose();
        }

        _node.Dispose();
        _client.Dispose();
        _directory.Dispose();
        _right.Dispose();
    }

    [RootFact("ip", "tcpdump")]
    public async Task Both_families_are_added_and_announced_so_that_the_neighbour_knows_them()
    {
        foreach (ServiceAddressConfiguration address in new[] { V4, V6 })
        {
            _client.Ip(
                "neigh", "replace", $"{address.Address}", "lladdr", "02:00:00:00:00:99", "dev", "prod",
                "nud", "stale");
        }

        using var arp = new PacketCapture(_client, "prod", "arp", 4);
        using var advertisements = new PacketCapture(_client, "prod", $"icmp6 and src {V6.Address}", 2);
        HeldAddresses held = Make(V4, V6);
        Assert.Empty(await Acquire(held));
        Assert.True(held.IsHeld(V4) && held.IsHeld(V6));
        Assert.Equal([V4, V6], There());

        // Twice: at once and 0.2 s later.
        for (int i = 0; i < 2; i++)
        {
            string request = arp.Next("a request");
            string reply = arp.Next("a reply");
            string advertisement = advertisements.Next("an advertisement");
            Assert.Contains($"who-has {V4.Address} tell {V4.Address}", request, StringComparison.Ordinal);
            Assert.Contains($"Reply {V4.Address} is-at", reply, StringComparison.Ordinal);
            Assert.Contains("neighbor advertisement", advertisement, StringComparison.Ordinal);
        }

        _client.WaitForNeighbour(V4.Address, _node.MacOf("prod"));
        _client.WaitForNeighbour(V6.Address, _node.MacOf("prod"));
        await Release(held);
        Assert.False(held.IsHeld(V4) || held.IsHeld(V6));
        Assert.Empty(There());
        Assert.Empty(_events.Kinds);
    }

    [RootFact("ip")]
    public async Task A_deleted_address_is_added_again_at_once_and_told_once()
    {
        HeldAddresses held = Make(V4, V6);
        await Acquire(held);
        long startMs = Environment.TickCount64;
        for (int i = 1; i <= 4; i++)
        {
            ServiceAddressConfiguration address = i % 2 == 0 ? V4 : V6;
            _node.Ip("addr", "del", $"{address.Address}/{address.PrefixLength}", "dev", "prod");
            await _events.WaitFor("address-restored", count: i);
            Assert.Contains($"{address.Address}", _events.Last("address-restored"), StringComparison.Ordinal);
            Assert.Equal([V4, V6], There().Order(Comparer));
        }

        // Without being told of it, it would be found every 5 s.
        Assert.True(Environment.TickCount64 - startMs < 10_000, "four deletions were not noticed at once");
        await Release(held);
        Assert.Empty(There());
        Assert.Equal(4, _events.Kinds.Count);
    }

    [RootFact("ip", "ping")]
    public async Task Addresses_come_back_when_the_interface_was_down()
    {
        HeldAddresses held = Make(V4, V6);
        await Acquire(held);
        _node.Ip("link", "set", "prod", "down"); // The kernel then deletes those of IPv6.
        await _events.WaitFor("address-restored");
        _node.Ip("link", "set", "prod", "up");
        Assert.Equal([V4, V6], There().Order(Comparer));
        _node.Ip("addr", "add", "10.98.1.2/24", "dev", "prod"); // A route for the answers.
        _node.Ip("addr", "add", "fd00:98::2/64", "dev", "prod", "nodad");
        _client.WaitForAnswer(V4.Address);
        _client.WaitForAnswer(V6.Address);
    }

    [RootFact("ip", "tcpdump")]
    public async Task When_the_carrier_comes_back_the_burst_begins_anew()
    {
        using var capture = new PacketCapture(_client, "any", "arp and src host 10.98.1.10", 40);
        await Acquire(Make(V4));
        NextBurst(capture, mac: null);
        _client.Ip("link", "set", "prod", "down");
        _node.WaitUntilDown("prod");
        _client.Ip("link", "set", "prod", "up");
        NextBurst(capture, mac: null);
    }

    [RootFact("ip", "tcpdump")]
    public async Task With_another_MAC_the_burst_begins_anew()
    {
        const string mac = "02:00:00:00:00:77";
        using var capture = new PacketCapture(_client, "any", "arp and src host 10.98.1.10", 40);
        await Acquire(Make(V4));
        NextBurst(capture, mac: null);
        _node.Ip("link", "set", "prod", "address", mac);
        NextBurst(capture, mac);
    }

    [RootFact("ip")]
    public async Task Who_claims_a_held_address_is_named_once()
    {
        await Acquire(Make(V4, V6));
        string first = _client.MacOf("prod");
        bool Claim(ServiceAddressConfiguration address, int count)
        {
            _client.Run(() => AddressAnnouncer.Announce("prod", address.Address));
            return _events.All("address-conflict").Length >= count;
        }

        await Within.Until(() => Task.FromResult(Claim(V4, 1)), "the event about the first claim");
        for (int i = 0; i < 20; i++)
        {
            Claim(V4, 1);
        }

        _client.Ip("link", "set", "prod", "address", "02:00:00:00:00:66");
        await Within.Until(() => Task.FromResult(Claim(V6, 2)), "the event about the second claim");
        string[] told = _events.All("address-conflict");
        Assert.Equal(2, told.Length);
        const string claims = "claims the service address";
        Assert.StartsWith($"{first} {claims} {V4.Address}/32", told[0], StringComparison.Ordinal);
        Assert.StartsWith($"02:00:00:00:00:66 {claims} {V6.Address}/128", told[1], StringComparison.Ordinal);
    }

    [RootFact("ip")]
    public async Task Without_the_right_nothing_is_added_nor_added_again()
    {
        using var over = new CancellationTokenSource();
        await over.CancelAsync();
        HeldAddresses late = Make(V4);
        Assert.Empty(await Within.Deadline(late.Acquire(over.Token), "an acquisition that came late"));
        Assert.Empty(There());
        Assert.False(File.Exists(ListFile));

        // Another holder, whose right goes on, shows that the deletions were noticed.
        HeldAddresses lost = Make(V4);
        HeldAddresses kept = Make(V6);
        await Acquire(lost);
        await Within.Deadline(kept.Acquire(CancellationToken.None), "the other holder");
        await _right.CancelAsync();
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");
        _node.Ip("addr", "del", "fd00:98::10/128", "dev", "prod");
        await _events.WaitFor("address-restored");
        Assert.Equal([V6], There());
    }

    [RootFact("ip")]
    public async Task Who_stood_still_adds_nothing_until_its_right_could_be_looked_at()
    {
        var clock = new StandingClock();
        await Acquire(Make(() => clock.NowMs, V4));
        await Acquire(Make(V6));
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");
        await _events.WaitFor("address-restored"); // It is past its beginning.

        clock.Jump(10_000);
        await Within.Until(() => Task.FromResult(clock.Looks > 6), "the jump of the clock to be seen");
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");
        for (int i = 2; i < 5; i++)
        {
            // The other one shows that deletions are noticed.
            _node.Ip("addr", "del", "fd00:98::10/128", "dev", "prod");
            await _events.WaitFor("address-restored", count: i);
            Assert.Equal([V6], There());
        }

        clock.GoOn();
        await _events.WaitFor("address-restored", count: 5);
        Assert.Contains(V4, There());
    }

    [RootFact("ip")]
    public async Task A_release_overtakes_an_acquisition()
    {
        HeldAddresses held = Make([.. Many("prod", 20)]);
        for (int i = 0; i < 30; i++)
        {
            Task added = held.Acquire(_right.Token);
            await Within.Deadline(held.Release(), "a release");
            await Within.Deadline(added, "the acquisition before it");
            Assert.Empty(There());
            Assert.False(File.Exists(ListFile));
        }
    }

    [RootFact("ip")]
    public async Task A_release_does_not_wait_for_who_is_told()
    {
        using var mayGoOn = new ManualResetEventSlim();
        _events.Told = kind =>
        {
            if (kind == "address-restored")
            {
                mayGoOn.Wait(TimeSpan.FromSeconds(60));
            }
        };
        HeldAddresses held = Make(V4);
        await Acquire(held);
        _node.Ip("addr", "del", "10.98.1.10/32", "dev", "prod");
        await _events.WaitFor("address-restored");
        await Release(held);
        Assert.Empty(There());
        mayGoOn.Set();
    }

    [RootFact("ip")]
    public async Task The_list_is_there_before_the_first_address_and_goes_after_the_last()
    {
        ServiceAddressConfiguration[] many = [.. Many("lo", 400)];
        HeldAddresses held = Make(many);
        bool isListed;
        for (int there = many.Length, tries = 0; there == many.Length; tries++)
        {
            Assert.True(tries < 20, "20 times it was too late to see the beginning");
            await Release(held);
            Task added = Acquire(held);
            do
            {
                there = There().Count;
            }
            while (there == 0);

            isListed = File.Exists(ListFile);
            Assert.True(isListed, "an address was there before the list");
            await added;
        }

        string[] lines = File.ReadAllLines(ListFile);
        Assert.Equal($"mirrord-held 1 {Environment.ProcessId} {StartOfThisProcess()}", lines[0]);
        Assert.Equal(many.Select(each => $"lo {each.Address}/32"), lines[1..]);

        Task released = held.Release();
        bool hasEnded;
        do
        {
            hasEnded = released.IsCompleted;
            isListed = File.Exists(ListFile);
        }
        while (isListed && !hasEnded);

        Assert.False(isListed, "the list stayed");

        Assert.Empty(There());
        await released;
        Assert.Empty(_events.Kinds); // On the loopback interface nothing is announced.
    }

    [RootFact("ip")]
    public async Task What_cannot_be_added_is_told_and_added_when_it_can_be()
    {
        ServiceAddressConfiguration later = new(IPAddress.Parse("10.98.1.12"), 32, "later");
        HeldAddresses held = Make(V4, later);
        string failure = Assert.Single(await Acquire(held));
        Assert.Contains("no network interface later", failure, StringComparison.Ordinal);
        Assert.True(held.IsHeld(V4));
        Assert.False(held.IsHeld(later));

        _node.AddInterface("later");
        await _events.WaitFor("address-added");
        Assert.True(held.IsHeld(later));
        Assert.Contains(later, There());
        Assert.DoesNotContain("address-failed", _events.Kinds);
    }

    [RootFact("ip")]
    public async Task Leftovers_are_removed_with_their_list()
    {
        _node.Ip("addr", "add", "10.98.1.10/24", "dev", "prod");
        Directory.CreateDirectory(Path.GetDirectoryName(ListFile)!);
        await File.WriteAllTextAsync(ListFile, "mirrord-held 1 1 1\nprod 10.98.1.10/32\n");
        HeldAddresses held = Make(V4, V6);
        _node.Run(() => Assert.Equal([V4], held.RemoveLeftovers()));
        Assert.Empty(There());
        Assert.False(File.Exists(ListFile));
    }

    [RootFact("ip")]
    public async Task A_leftover_that_is_no_longer_configured_is_removed_too()
    {
        _node.Ip("addr", "add", "10.98.1.10/32", "dev", "prod");
        _node.Ip("addr", "add", "fd00:98::10/128", "dev", "prod", "nodad");
        Directory.CreateDirectory(Path.GetDirectoryName(ListFile)!);
        await File.WriteAllTextAsync(ListFile, "mirrord-held 1 1 1\nprod 10.98.1.10/32\nprod fd00:98::10/128\nnoise\n");
        HeldAddresses held = Make(V4);
        _node.Run(() => Assert.Equal([V4, V6], held.RemoveLeftovers()));
        Assert.Empty(There());
        Assert.False(File.Exists(ListFile));
    }

    private static Comparer<ServiceAddressConfiguration> Comparer { get; } =
        Comparer<ServiceAddressConfiguration>.Create((a, b) => a.PrefixLength.CompareTo(b.PrefixLength));

    private static IEnumerable<ServiceAddressConfiguration> Many(string interfaceName, int count) =>
        Enumerable.Range(0, count).Select(index => new ServiceAddressConfiguration(
            new IPAddress([10, 97, (byte)(index / 250), (byte)(index % 250)]), 32, interfaceName));

    private static string StartOfThisProcess() => Command.Run(
        "sh", "-c", $"sed 's/.*) //' /proc/{Environment.ProcessId}/stat | cut -d ' ' -f 20").Trim();

    /// <summary>
    /// Waits for two announcements, request and reply each, 0.2 s after one another: only a burst begins so.
    /// </summary>
    private static void NextBurst(PacketCapture capture, string? mac)
    {
        double lastSeconds = 0;
        while (true)
        {
            string packet = capture.Next("two announcements that follow each other soon");
            if (!packet.Contains("Request", StringComparison.Ordinal)
                || (mac is not null && !packet.Contains(mac, StringComparison.Ordinal)))
            {
                continue;
            }

            double seconds = double.Parse(packet.Split(' ')[0], CultureInfo.InvariantCulture);
            if (seconds - lastSeconds < 0.9)
            {
                return;
            }

            lastSeconds = seconds;
        }
    }

    private HeldAddresses Make(params ServiceAddressConfiguration[] addresses) =>
        Make(nowMs: null, addresses);

    private HeldAddresses Make(Func<long>? nowMs, params ServiceAddressConfiguration[] addresses)
    {
        HeldAddresses? held = null;
        _node.Run(() => held = new HeldAddresses(addresses, ListFile, _events.Add, nowMs));
        _made.Add(held!);
        return held!;
    }

    private Task<IReadOnlyList<string>> Acquire(HeldAddresses held) =>
        Within.Deadline(held.Acquire(_right.Token), "the acquisition");

    private static Task Release(HeldAddresses held) => Within.Deadline(held.Release(), "the release");

    /// <summary>Service addresses that the node has according to the kernel.</summary>
    private List<ServiceAddressConfiguration> There()
    {
        List<ServiceAddressConfiguration> there = [];
        _node.Run(() => there.AddRange(
            from each in ServiceAddress.List()
            where !IPAddress.IsLoopback(each.Address) && !each.Address.IsIPv6LinkLocal
            select new ServiceAddressConfiguration(each.Address, each.PrefixLengthBits, each.Interface)));
        return there;
    }

    /// <summary>A clock that stands, jumps, and goes on.</summary>
    private sealed class StandingClock
    {
        private long _nowMs;
        private long _looks;
        private long _goesOnSince;

        /// <summary>How often somebody looked since the jump.</summary>
        public long Looks => Interlocked.Read(ref _looks);

        public long NowMs
        {
            get
            {
                Interlocked.Increment(ref _looks);
                long since = Interlocked.Read(ref _goesOnSince);
                return Interlocked.Read(ref _nowMs) + (since == 0 ? 0 : Environment.TickCount64 - since);
            }
        }

        public void Jump(long ms)
        {
            Interlocked.Add(ref _nowMs, ms);
            Interlocked.Exchange(ref _looks, 0);
        }

        public void GoOn() => Interlocked.Exchange(ref _goesOnSince, Environment.TickCount64);
    }
}
