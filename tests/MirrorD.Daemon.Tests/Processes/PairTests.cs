using System.Net;
using System.Net.Sockets;
using MirrorD.Api;
using MirrorD.Control;
using MirrorD.Daemon.Tests.Cli;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>
/// Two real daemons over the loopback network: roles, hooks and what the status says of them.
/// </summary>
public sealed class PairTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private DaemonProcess _a = null!;
    private DaemonProcess _b = null!;

    private string Configuration => _directory.At("mirrord.yaml");

    private string HookLog => _directory.At("hooks");

    public async Task InitializeAsync()
    {
        int port = FreePort();
        int heartbeats = FreePort();
        int calls = FreePort();
        string hook = $"echo $MIRRORD_NODE $MIRRORD_STEP $MIRRORD_ROLE >> {HookLog}";
        File.WriteAllText(Configuration, $"""
            nodes:
              a:
                dedicated:
                  address: 127.0.0.1
                  port: {port}
                  heartbeat-port: {heartbeats}
                  call-port: {calls}
              b:
                dedicated:
                  address: 127.0.0.2
                  port: {port}
                  heartbeat-port: {heartbeats}
                  call-port: {calls}
            resources:
              mail:
                between: [a, b]
                link-timeout: 2s
                volumes:
                  data:
                hooks:
                  pre-acquire: {hook}
                  post-acquire: {hook}
                  pre-release: {hook}
                  post-release: {hook}
            """);
        Directory.CreateDirectory(_directory.At("conf.d"));
        foreach (string node in (string[])["a", "b"])
        {
            File.WriteAllText(_directory.At($"conf.d/{node}.yaml"), $"""
                nodes:
                  {node}:
                    resources:
                      mail:
                        volumes:
                          data:
                            file: {_directory.At($"{node}.img")}
                """);
            using FileStream disk = File.Create(_directory.At($"{node}.img"));
            disk.SetLength(16 << 20);
        }

        await DaemonProcess.MakeCluster(Configuration, _directory.Root, "a", "b");
        foreach (string node in (string[])["a", "b"])
        {
            MirrorctlRun created = await MirrorctlRun.Of(
                "create", "mail", "--empty", "--config", Configuration, "--node-name", node,
                "--state-dir", DaemonProcess.StateOf(_directory.Root, node));
            Assert.Equal("", created.Error);
        }

        _a = await Start("a");
        _b = await Start("b");
        await WaitUntilJoined();
        await _a.Require("promote", "mail");
    }

    [Fact]
    public async Task Each_node_answers_for_the_other_one()
    {
        StatusReport there = System.Text.Json.JsonSerializer.Deserialize(
            await _a.Require("status", "--json", "--node", "b"), ApiJson.Compact.StatusReport)!;
        Assert.Equal("b", there.Node);
        Assert.Equal("Standby", there.Resources.Single().Role);

        // A command, from the node that it does not concern.
        await _b.Require("demote", "mail", "--node", "a");
        await _a.WaitFor("mail", "to be Standby", resource => resource.Role == "Standby");
        MirrorctlRun nobody = await _a.Control("status", "--node", "c");
        Assert.Equal(ExitCode.Unreachable, nobody.ExitCode);
        Assert.Contains("the nodes are a, b", nobody.Error);
        _b.Kill();
        MirrorctlRun dead = await _a.Control("status", "--node", "b");
        Assert.Equal(ExitCode.Unreachable, dead.ExitCode);
        Assert.Contains("node b can't be reached (127.0.0.2:", dead.Error);
    }

    [Fact]
    public async Task Each_node_shows_how_it_hears_the_other_one()
    {
        foreach ((DaemonProcess node, string peer, string network) in
            ((DaemonProcess, string, string)[])[(_a, "b", "127.0.0.1"), (_b, "a", "127.0.0.2")])
        {
            await Within.Until(
                async () => await PathOf(node) is { State: PathState.Up }, $"{peer} to be heard both ways");
            PathReport path = await PathOf(node);
            Assert.Equal((peer, network, "dedicated"), (path.Peer, path.Network, path.Kind));
            Assert.InRange(path.LastHeardMs!.Value, 0, 20_000);
        }

        _b.Kill();
        await Within.Until(async () => await PathOf(_a) is { State: PathState.Lost }, "b to be lost");
        await Within.Until(
            async () => (await _a.Require("events")).Contains("its mirrord seems to be gone"),
            "the event about it");
    }

    [Fact]
    public async Task Roles_change_from_either_node_and_hooks_run_on_both_sides()
    {
        Assert.Equal(ExitCode.Ok, (await _a.Control("status", "--check")).ExitCode);
        File.WriteAllText(HookLog, "");

        await _a.Require("switchover", "mail");
        await _b.WaitFor(
            "mail", "the role and the export on b", mail => mail.Role == "Primary" && IsExported(mail));
        await _a.WaitFor("mail", "a Standby on a", mail => mail is { Role: "Standby", PeerRole: "Primary" });
        await Within.Until(() => Task.FromResult(File.ReadAllLines(HookLog).Length == 4), "four hooks");
        Assert.Equal(
            ["a post-release Standby", "a pre-release Primary"],
            File.ReadAllLines(HookLog).Where(line => line[0] == 'a').Order());
        Assert.Equal(
            ["b post-acquire Primary", "b pre-acquire Primary"],
            File.ReadAllLines(HookLog).Where(line => line[0] == 'b').Order());

        // And back, asked for on the node that is to become Primary.
        await _a.Require("switchover", "mail");
        ResourceReport mail = await _a.Resource("mail");
        Assert.True(mail.Role == "Primary" && IsExported(mail));
        await _b.WaitFor(
            "mail", "a closed export on b", report => report.Role == "Standby" && !IsExported(report));
    }

    [Fact]
    public async Task A_standby_that_stops_holds_nothing_up_and_one_that_dies_freezes()
    {
        Assert.Equal(0, await _b.Terminate());
        await _a.WaitFor("mail", "the loss", mail => mail is { Link: "Disconnected", Proof: "PeerOutdated" });
        Assert.Equal(ResourceHealth.Degraded, (await _a.Resource("mail")).Health);

        _b = await Start("b");
        await WaitUntilJoined();
        _b.Kill();
        await _a.WaitFor(
            "mail", "FrozenNoProof and a failed attempt to connect",
            mail => mail is { HoldUp.State: "FrozenNoProof", LinkProblem: not null });

        Assert.Equal(ExitCode.NotMirrored, (await _a.Control("status", "--check")).ExitCode);
        string explained = await _a.Require("explain", "mail");
        Assert.Contains("FrozenNoProof since ", explained);
        Assert.Contains("Resolved by:", explained);
        Assert.Contains("The last attempt to connect failed: ", explained);

        // The command that it names does resolve it.
        await _a.Require("promote", "mail", "--force", "--yes");
        await _a.WaitFor(
            "mail", "going on alone", mail => mail is { HoldUp: null, Proof: "OperatorOverride" });

        _b = await Start("b");
        await WaitUntilJoined();
        ResourceReport back = await _a.Resource("mail");
        Assert.Equal("Primary", back.Role);
        Assert.Null(back.LinkProblem);
    }

    [Fact]
    public async Task A_promotion_against_the_rules_is_refused_with_what_to_do()
    {
        MirrorctlRun joined = await _b.Control("promote", "mail");
        _a.Kill();
        await _b.WaitFor("mail", "the loss", mail => mail.Link == "Disconnected");
        MirrorctlRun alone = await _b.Control("promote", "mail");

        Assert.Equal(ExitCode.Failed, joined.ExitCode);
        Assert.Contains("mirrorctl switchover mail", joined.Error);
        Assert.Equal(ExitCode.Failed, alone.ExitCode);
        Assert.Contains("mirrorctl promote mail --force", alone.Error);
        Assert.Equal("Standby", (await _b.Resource("mail")).Role);

        await _b.Require("promote", "mail", "--force", "--yes");
        Assert.Equal(
            ("Primary", "OperatorOverride"),
            ((await _b.Resource("mail")).Role, (await _b.Resource("mail")).Proof));
    }

    [Fact]
    public async Task A_node_is_disconnected_until_it_is_connected_and_both_say_which_one_it_is()
    {
        Assert.Contains("disconnected until mirrorctl connect mail", await _a.Require("disconnect", "mail", "--node", "b"));
        await _b.WaitFor("mail", "that it is disconnected", mail =>
            mail is { DiskState: "Outdated", HoldUp: { State: "Disconnected", Remedy: "mirrorctl connect mail" } });
        await _a.WaitFor("mail", "that its peer is", mail => mail is
        {
            Role: "Primary",
            Proof: "PeerOutdated",
            Health: ResourceHealth.Degraded,
            HoldUp: { State: "Disconnected", Remedy: "mirrorctl connect mail, on b" },
        });
        DateTimeOffset since = (await _b.Resource("mail")).HoldUp!.Since;
        Assert.Contains("mirrorctl connect mail", await _b.Require("explain", "mail"));
        MirrorctlRun here = await _a.Control("connect", "mail");
        Assert.Equal(ExitCode.Failed, here.ExitCode);
        Assert.Contains("on b: mirrorctl connect mail", here.Error);

        await _b.Terminate();
        _b = await Start("b");
        await _b.WaitFor("mail", "that it still is", mail => mail.HoldUp is { State: "Disconnected" });
        Assert.Equal(since, (await _b.Resource("mail")).HoldUp!.Since);
        await _a.WaitFor("mail", "that its peer still is", mail => mail is
        {
            Link: "Disconnected",
            HoldUp: { State: "Disconnected", Remedy: "mirrorctl connect mail, on b" },
        });
        await _b.Require("connect", "mail");
        await WaitUntilJoined();
        Assert.Contains("disconnected", await _b.Require("events"));

        // The Primary, and back.
        await _a.Require("disconnect", "mail");
        await _a.WaitFor(
            "mail", "that it is disconnected", mail => mail is { Role: "Primary", HoldUp.State: "Disconnected" });
        await _a.Require("connect", "mail");
        await WaitUntilJoined();
    }

    [Fact]
    public async Task A_copy_is_thrown_away_on_a_joined_standby_only_and_comes_back_whole()
    {
        MirrorctlRun primary = await _a.Control("invalidate", "mail", "--yes");
        Assert.Equal(ExitCode.Failed, primary.ExitCode);
        Assert.Contains("this node is Primary", primary.Error);
        MirrorctlRun unconfirmed = await _b.Control("invalidate", "mail");
        Assert.Equal(ExitCode.Usage, unconfirmed.ExitCode);
        Assert.Contains("add --yes", unconfirmed.Error);

        string session = (await _b.Resource("mail")).Session!;
        Assert.Contains("a brings a whole new one", await _a.Require("invalidate", "mail", "--yes", "--node", "b"));
        await _b.WaitFor("mail", "a new join", mail => mail.Health == ResourceHealth.Ok && mail.Session != session);
        Assert.Contains("FullSync", await _b.Require("events"));
        _a.Kill();
        await _b.WaitFor("mail", "the loss", mail => mail.Link == "Disconnected");
        MirrorctlRun alone = await _b.Control("invalidate", "mail", "--yes");
        Assert.Contains("not joined", alone.Error);
    }

    private static async Task<PathReport> PathOf(DaemonProcess node) => Assert.Single(
        System.Text.Json.JsonSerializer.Deserialize(
            await node.Require("status", "--json"), ApiJson.Compact.StatusReport)!.Paths);

    public Task DisposeAsync()
    {
        _a?.Dispose();
        _b?.Dispose();
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private static bool IsExported(ResourceReport report) =>
        report.Volumes.All(volume => volume.ExportSocket is not null);

    private static int FreePort()
    {
        // A port that is free on the one address is taken on the other only by a rare coincidence.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private Task<DaemonProcess> Start(string node) =>
        DaemonProcess.StartAndWait(Configuration, node, _directory.Root);

    private async Task WaitUntilJoined()
    {
        foreach (DaemonProcess node in (DaemonProcess[])[_a, _b])
        {
            await node.WaitFor("mail", "the join", mail => mail.Health == ResourceHealth.Ok);
        }
    }
}
