using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Daemon.Reports;

namespace MirrorD.Daemon.Tests.Reports;

public class ExplanationTests
{
    private const string Base = """
        nodes:
          a:
            dedicated: {address: 10.0.0.1}
            production: {address: 192.0.2.1, interface: eth0GATEWAY}
          b:
            dedicated: {address: 10.0.0.2}
            production: {address: 192.0.2.2, interface: eth0GATEWAY}
        resources:
          mail:
            between: [a, b]
            volumes: {data: {device: /dev/vg0/mail}}
            addresses: [{address: 192.0.2.10/24}]

        """;

    private const string Arbiter = "arbiter: {directory: /mnt/x}";

    private static readonly DateTimeOffset s_then = new(2026, 1, 31, 12, 0, 5, TimeSpan.Zero);

    public static TheoryData<string, bool, string> PrimaryRules => new()
    {
        { Arbiter, false, "claims the session from the arbiter" },
        { Arbiter + "\nheartbeat: {dead-after: 1500ms}", false, "heard on no network for 1500 ms:" },
        { "    on-peer-loss: freeze", true, "requests wait until the peer is back or an operator decides" },
        { "    on-peer-loss: continue", true, "this node goes on alone ('on-peer-loss: continue')" },
        { "", true, "this node goes on alone if its gateway answers ('on-peer-loss: auto'); else requests" },
        { "", false, "this node has no gateway to ask" },
    };

    public static TheoryData<string, bool, string> StandbyRules => new()
    {
        { Arbiter, false, "takes over if the arbiter grants it the session." },
        { Arbiter, true, "takes over if its gateway answers, the arbiter grants it the session." },
        { "", true,
            "takes over if the nodes were joined, on all networks, since this daemon started, b was " +
            "Primary, its gateway answers, nobody answers for the service addresses." },
        { "    takeover-delay: 2s", true, "for 3 s and then 2 s, this node takes over" },
        { "", false,
            "Resource mail has no arbiter and no gateway: the standby will not take over by itself. " +
            "'mirrorctl promote mail' takes over where the rules allow it." },
        { "    autoswitch: off", true, "Resource mail has 'autoswitch: off'" },
    };

    [Theory]
    [MemberData(nameof(PrimaryRules))]
    public void A_primary_says_what_it_does_without_its_peer(string added, bool gateways, string expected)
    {
        string forecast = Explain(Report("Primary", "UpToDate"), added, gateways).IfPeerIsLost;

        Assert.Contains(expected, forecast);
        Assert.StartsWith("While b answers on any network", forecast);
    }

    [Theory]
    [MemberData(nameof(StandbyRules))]
    public void A_standby_says_what_it_does_without_its_peer(string added, bool gateways, string expected) =>
        Assert.Contains(expected, Explain(Report("Standby", "UpToDate"), added, gateways).IfPeerIsLost);

    [Fact]
    public void A_primary_whose_copy_does_not_count_waits() => Assert.Equal(
        "Requests wait until b is back: this copy is Inconsistent, and can't go on alone.",
        Explain(Report("Primary", "Inconsistent"), Arbiter, true).IfPeerIsLost);

    [Fact]
    public void Nobody_takes_over_what_nobody_serves() => Assert.Equal(
        "Nobody is Primary, so nothing is taken over.",
        Explain(Report("Standby", "UpToDate") with { PeerRole = "Standby" }, Arbiter, true).IfPeerIsLost);

    [Fact]
    public void An_outdated_standby_says_why_it_does_not_take_over_and_what_force_would_lose()
    {
        ResourceReport outdated = Report("Standby", "Outdated") with
        {
            Link = "Disconnected",
            PeerRole = null,
            OutdatedSince = s_then,
        };

        ExplainReport explained = Explain(outdated, Arbiter, true);

        Assert.Contains(
            "It has not taken over and will not: b went on without it since 2026-01-31 12:00:05Z, so this " +
            "copy lacks what b wrote from then on.",
            explained.Why);
        Assert.Equal("This node does not take over: its copy is Outdated.", explained.IfPeerIsLost);
        Assert.Equal(
            "This copy is known to be old: everything that b wrote since 2026-01-31 12:00:05Z is lost. How " +
            "many bytes that is can't be told from here.",
            explained.IfForced[0]);
        Assert.Contains("8192 bytes are marked here as possibly different on b.", explained.IfForced);
    }

    [Fact]
    public void Where_nothing_tells_since_when_it_says_so()
    {
        ResourceReport outdated = Report("Standby", "Outdated") with { Link = "Disconnected" };

        Assert.Contains("everything that b wrote since they parted", Explain(outdated, "", true).IfForced[0]);
    }

    [Fact]
    public void Networks_are_named_when_one_is_not_up()
    {
        PathReport up = Path("dedicated", "10.0.0.1", PathState.Up);
        PathReport lost = Path("production", "192.0.2.1", PathState.Lost);
        const string Expected = "Networks to b: dedicated 10.0.0.1 Up, production 192.0.2.1 Lost.";

        Assert.Contains(Expected, Explain(Report("Primary", "UpToDate"), "", true, up, lost).Why);
        Assert.DoesNotContain(
            Explain(Report("Primary", "UpToDate"), "", true, up, up).Why,
            sentence => sentence.StartsWith("Networks"));
    }

    private static PathReport Path(string kind, string network, string state) => new()
    {
        Peer = "b",
        Network = network,
        Kind = kind,
        State = state,
        Since = s_then,
    };

    private static ExplainReport Explain(
        ResourceReport report, string added, bool gateways, params PathReport[] paths)
    {
        string text = Base.Replace("GATEWAY", gateways ? ", gateway: 192.0.2.254" : "") + added;
        ConfigurationResult result = ConfigurationFile.Parse(("m.yaml", text));
        Assert.Empty(result.Errors);
        ClusterConfiguration cluster = result.Configuration!;
        return Explanation.Of(report, cluster.Resources["mail"], cluster, "a", paths);
    }

    private static ResourceReport Report(string role, string disk) => new()
    {
        Name = "mail",
        Health = ResourceHealth.Ok,
        Role = role,
        DiskState = disk,
        Link = "Joined",
        Peer = "b",
        PeerRole = role == "Primary" ? "Standby" : "Primary",
        PeerDiskState = "UpToDate",
        Proof = "None",
        Volumes =
        [
            new VolumeReport
            {
                Name = "data",
                Device = "/dev/vg0/mail",
                LengthBytes = 1 << 20,
                DirtyBytes = 8192,
                Reads = 0,
                Writes = 0,
            },
        ],
        Addresses = [],
    };
}
