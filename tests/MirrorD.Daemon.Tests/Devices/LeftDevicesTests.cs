using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Control;
using MirrorD.Daemon.Devices;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.History;
using MirrorD.Daemon.Startup;
using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>
/// What becomes of devices that a daemon left when it was Primary and died: a whole daemon in this process, with a driver
/// that is made up, and without its peer.
/// </summary>
[Collection(ScratchRunTests.Collection)]
public sealed class LeftDevicesTests : IAsyncLifetime
{
    private static readonly TimeSpan s_stopWait = TimeSpan.FromSeconds(10);

    private readonly TemporaryDirectory _directory = new();
    private readonly TestDriver _driver = new("mirrord:mail/data");
    private readonly RecordingLoggers _log = new();
    private EventLog? _events;
    private TakeoverHistory? _history;
    private KernelNbd? _kernel;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await (_events?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_history?.DisposeAsync() ?? ValueTask.CompletedTask);

        // Its scratch volume lies in the directory, and outlives a daemon that ends early.
        await Within.Deadline(_kernel?.Readied() ?? Task.CompletedTask, "the end of the scratch run");
        _directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_takes_away_what_nobody_has_resumed(bool hostStops)
    {
        MirrorDaemon daemon = await StartedStandby();
        _driver.Users["/dev/nbd0"] = ["mounted at /srv"];

        await Within.Deadline(daemon.Stop(hostStops, s_stopWait), "the stop");

        Assert.True(_driver.Devices[0].IsDead, "its users wait for a daemon that does not come");
        Assert.Contains("/dev/nbd0 is mounted at /srv", Told("device-removed"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_ends_what_was_given_up_and_has_the_hooks_stop_its_users()
    {
        _driver.Add(0);
        _driver.Users["/dev/nbd0"] = ["mounted at /srv"];
        string unmounted = _directory.At("unmounted");
        MirrorDaemon daemon = Daemon("auto", $"hooks: {{pre-release: 'touch {unmounted}'}}");
        Format(daemon.Context.Id, wasPrimary: false);
        daemon.Start();

        await Within.Until(() => Task.FromResult(_driver.Devices[0].IsDead && File.Exists(unmounted)), "end and hook");
        Assert.Contains("/dev/nbd0 is mounted at /srv", Told("device-removed"), StringComparison.Ordinal);

        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");
    }

    [Fact]
    public async Task A_restart_leaves_it_for_the_next_daemon()
    {
        MirrorDaemon daemon = await StartedStandby();

        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");

        Assert.False(_driver.Devices[0].IsDead, "a restart took the device from under its users");
    }

    [Fact]
    public async Task A_restart_ends_calls_and_notifications_while_its_loops_still_move()
    {
        MirrorDaemon daemon = await StartedStandby();
        var ended = new TaskCompletionSource();
        Task end = daemon.Suspend(() => ended.Task, s_stopWait);

        Task<CommandOutcome> answer = daemon.Find("mail")!.Command(new ResourceCommand.Switchover());
        Assert.False((await Within.Deadline(answer, "an answer of the loop")).Succeeded);
        Assert.False(end.IsCompleted);
        ended.SetResult();
        await Within.Deadline(end, "the end");
    }

    [Fact]
    public async Task A_stop_takes_away_that_of_a_resource_which_could_not_start()
    {
        _driver.Add(0);
        MirrorDaemon daemon = Daemon("auto");
        daemon.Start();
        Assert.Contains("a.img", Told("start-failed"), StringComparison.Ordinal);
        Assert.False(_driver.Devices[0].IsDead);

        await Within.Deadline(daemon.Stop(false, s_stopWait), "the stop");

        Assert.True(_driver.Devices[0].IsDead, "its users wait for a daemon that does not come");
    }

    [Fact]
    public async Task A_stop_of_a_second_daemon_does_not_touch_what_the_first_one_serves()
    {
        _driver.Add(0).IsServed = true;
        MirrorDaemon daemon = Daemon("auto");
        Format(daemon.Context.Id);
        LinuxDisk held = LinuxDisk.Open(_directory.At("a.img"), isWritable: true, isExclusive: true);
        daemon.Start();
        Assert.Equal("DiskAwaited", daemon.Find("mail")!.Report().HoldUp?.State);

        await Within.Deadline(daemon.Stop(false, s_stopWait), "the stop");

        Assert.False(_driver.Devices[0].IsDead, "its users lost it to a program that never served them");
        held.Close();
    }

    [Fact]
    public async Task A_disk_that_comes_later_is_served_without_a_restart()
    {
        _driver.Add(0);
        MirrorDaemon daemon = Daemon("auto");
        daemon.Start();
        Assert.Equal("DiskAwaited", daemon.Find("mail")!.Report().HoldUp?.State);

        Format(daemon.Context.Id);
        await UntilLoaded(daemon);
        await Within.Until(
            () => Task.FromResult(_events!.After(0).Events.Any(one => one.Kind == "started-late")), "the good news");
        Told("start-failed");
        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");
        Assert.False(_driver.Devices[0].IsDead, "its users were not waited for");
    }

    [Fact]
    public async Task A_disk_that_the_kernel_holds_for_an_earlier_daemon_is_waited_for()
    {
        MirrorDaemon daemon = Daemon("auto");
        Format(daemon.Context.Id);
        LinuxDisk held = LinuxDisk.Open(_directory.At("a.img"), isWritable: true, isExclusive: true);
        daemon.Start();
        Assert.Equal("DiskAwaited", daemon.Find("mail")!.Report().HoldUp?.State);

        held.Close();
        await UntilLoaded(daemon);
        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");
    }

    [Fact]
    public async Task A_disk_that_can_not_be_used_is_not_waited_for()
    {
        MirrorDaemon daemon = Daemon("auto");
        await File.WriteAllBytesAsync(_directory.At("a.img"), new byte[4096]);
        daemon.Start();
        Assert.Equal("StartFailed", daemon.Find("mail")!.Report().HoldUp?.State);
        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");
    }

    [Fact]
    public async Task A_resource_whose_sockets_can_not_be_made_takes_no_role()
    {
        _driver.Add(0);
        MirrorDaemon daemon = Daemon("auto", "on-peer-loss: continue");
        Format(daemon.Context.Id, proof: ProofKind.PeerLossPolicy);
        await File.WriteAllTextAsync(_directory.At("run/mail"), "in the way");
        daemon.Start();

        await Within.Until(() => Task.FromResult(_log.Lines.Any(line => line == "resource=mail stopped: stopped")), "its stop");
        Assert.Contains("run/mail", Told("start-failed"), StringComparison.Ordinal);
        Assert.False(_driver.Devices[0].IsDead, "its users were not waited for");
        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");
    }

    [Fact]
    public async Task A_start_takes_away_what_the_configuration_has_no_more()
    {
        _driver.Add(0);
        _driver.Add(1, named: "mirrord:removed/data");
        MirrorDaemon daemon = Daemon("none");
        daemon.Start();

        await Within.Until(() => Task.FromResult(_driver.Devices.Values.All(device => device.IsDead)), "the end of both");
        await Within.Until(
            () => Task.FromResult(_events!.After(0).Events.Count(one => one.Kind == "device-removed") == 2), "two events");
        await Within.Deadline(daemon.Suspend(() => Task.CompletedTask, s_stopWait), "the end");
    }

    /// <summary>It has stored that it was Primary, and waits for its peer.</summary>
    private async Task<MirrorDaemon> StartedStandby()
    {
        _driver.Add(0);
        MirrorDaemon daemon = Daemon("auto");
        Format(daemon.Context.Id);
        daemon.Start();
        await UntilLoaded(daemon);
        Assert.False(_driver.Devices[0].IsDead, "it was not kept for the role that is to be resumed");
        return daemon;
    }

    private static Task UntilLoaded(MirrorDaemon daemon) => Within.Until(
        () => Task.FromResult(daemon.Find("mail")!.Report() is { DiskState: "UpToDate", Role: "Standby" }),
        "the resource to be loaded");

    private MirrorDaemon Daemon(string blockDevices, string more = "")
    {
        ClusterMembership.Found(new StateDirectory(_directory.At("state")), "a", DateTimeOffset.UtcNow);
        string file = _directory.At("mirrord.yaml");
        int port = FreePort();
        File.WriteAllText(file, $"""
            nodes:
              a:
                dedicated: {Network("127.0.0.1", port)}
              b:
                dedicated: {Network("127.0.0.2", port)}
            resources:
              mail:
                between: [a, b]
                block-devices: {blockDevices}
                {more}
                volumes:
                  data:
                    file: {_directory.At("a.img")}
            """);
        NodeContext context = NodeContextLoader.Load(new DaemonOptions
        {
            Config = file,
            Node = "a",
            RunDirectory = _directory.At("run"),
            StateDirectory = _directory.At("state"),
        });
        Directory.CreateDirectory(context.RunDirectory);
        _events = new EventLog(context.State.EventsFile, failed => throw failed);
        _history = new TakeoverHistory(context.State.HistoryFile, failed => throw failed);
        _kernel = new KernelNbd(NullLogger.Instance, () => (_driver, null))
        {
            LinkWait = TimeSpan.Zero,
            IsUdevBusy = () => false,
            MayHaveDevices = true,
        };
        return new MirrorDaemon(context, _events, _history, _log, _kernel);
    }

    private static string Network(string address, int port) =>
        $"{{address: {address}, port: {port}, heartbeat-port: {port}, call-port: {FreePort()}}}";

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private void Format(NodeId node, bool wasPrimary = true, ProofKind proof = ProofKind.None)
    {
        string file = _directory.At("a.img");
        LinuxDisk.CreateFile(file, 16 << 20);
        LinuxDisk disk = LinuxDisk.Open(file, isWritable: true, isExclusive: true);
        MetadataPlacement place = MetadataPlacement.Internal(disk.LengthBytes);
        var volume = new VolumeOptions("data", disk, disk, place.MetadataOffset, place.MetadataBytes);
        Superblock stored = VolumeFormatter.Initial(
            "mail", "data", 0, node, place.DataBytes, CreationSource.Empty, new Generation(1)) with
        {
            DiskState = DiskState.UpToDate,
            Session = new SessionId(7),
            Promotions = 1,
            WasPrimary = wasPrimary,
            JustCreated = false,
            Proof = new Proof(proof, new SessionId(7)),
        };
        int result = -1;
        using var loop = new UringLoop();
        VolumeFormatter.Format(loop, volume, stored, everythingDirty: false, error =>
        {
            result = error;
            loop.Stop();
        });
        loop.Run();
        disk.Close();
        Assert.Equal(0, result);
    }

    private string Told(string kind) => Assert.Single(_events!.After(0).Events, one => one.Kind == kind).Message;
}
