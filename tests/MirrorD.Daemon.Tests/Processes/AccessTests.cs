using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MirrorD.Control;
using MirrorD.Daemon.Tests.Cli;
using MirrorD.Io.Tests.Linux;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>Who may use the sockets of real daemons: callers are processes of other users.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string Promote = "POST /v1/resources/mail/promote";

    private readonly TemporaryDirectory _directory = new();
    private readonly List<DaemonProcess> _daemons = [];
    private HostUsers _users = null!;

    public async Task InitializeAsync()
    {
        if (Environment.UserName != "root")
        {
            return;
        }

        _users = new HostUsers(_directory);
        int[] ports = [.. Enumerable.Range(0, 3).Select(_ => FreePort())];
        string network = $"port: {ports[0]}, heartbeat-port: {ports[1]}, call-port: {ports[2]}";
        string NodeOf(string name, string address) => $$"""
              {{name}}:
                dedicated: {address: {{address}}, {{network}}}
                resources:
                  mail:
                    volumes:
                      data: {file: {{_directory.At($"{name}.img")}} }
            """;
        File.WriteAllText(_directory.At("mirrord.yaml"), $$"""
            nodes:
            {{NodeOf("a", "127.0.0.1")}}
            {{NodeOf("b", "127.0.0.2")}}
            resources:
              mail:
                between: [a, b]
                volumes: {data: }
            notify: {command: "true"}
            """);
        await DaemonProcess.MakeCluster(_directory.At("mirrord.yaml"), _directory.Root, "a", "b");
        foreach (string node in (string[])["a", "b"])
        {
            string state = DaemonProcess.StateOf(_directory.Root, node);
            using (FileStream disk = File.Create(_directory.At($"{node}.img")))
            {
                disk.SetLength(16 << 20);
            }

            Assert.Equal("", (await MirrorctlRun.Of(
                "create", "mail", "--empty", "--config", _directory.At("mirrord.yaml"), "--node-name", node,
                "--state-dir", state)).Error);
        }
    }

    public Task DisposeAsync()
    {
        _daemons.ForEach(daemon => daemon.Dispose());
        _directory.Dispose();
        return Task.CompletedTask;
    }

    [RootFact("setpriv", "unshare")]
    public async Task Members_of_the_group_may_do_all_and_each_change_is_logged_once_with_who_asked()
    {
        DaemonProcess a = await Start("a");

        Assert.Equal(ExitCode.Ok, (await Control(a, HostUsers.Anna, "status")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await Control(a, HostUsers.Anna, "notify", "test")).ExitCode);
        Assert.Equal(ExitCode.Failed, (await Control(a, HostUsers.Nameless, "demote", "mial")).ExitCode);
        await a.Require("notify", "test");

        Assert.Matches(@"user=anna uid=64511 pid=\d+ call=""POST /v1/notify/test"" result=200", await Logged(a, "root"));
        Assert.Single(Regex.Matches(a.Log, "user=anna"));
        Assert.Matches(@"user=64514 uid=64514 pid=\d+ call=""POST /v1/resources/mial/demote"" result=404", a.Log);
        Assert.Matches($@"user=root uid=0 pid={Environment.ProcessId} call=""POST /v1/notify/test"" result=200", a.Log);
    }

    [RootFact("setpriv", "unshare")]
    public async Task Members_of_the_reading_group_see_all_and_change_nothing()
    {
        DaemonProcess a = await Start("a");

        foreach (string[] words in (string[][])[
            ["status"], ["explain", "mail"], ["events"], ["history"], ["version"]])
        {
            (int code, _, string error) = await Control(a, HostUsers.Bert, words);
            Assert.Equal((ExitCode.Ok, ""), (code, error));
        }

        Assert.Contains("(node a, ", (await Control(a, HostUsers.Bert, "version")).Output);
        (int refused, _, string why) = await Control(a, HostUsers.Bert, "promote", "mail");
        Assert.Equal(ExitCode.Failed, refused);
        Assert.Equal("mirrorctl: user bert may only read here, and this changes something; "
            + "run it as root or as a member of the group mirrord\n", why);
        Assert.Matches($@"user=bert uid=64512 pid=\d+ call=""{Promote}"" result=403", await Logged(a, "bert"));

        // Nor does root, there.
        MirrorctlRun root = await MirrorctlRun.Of("promote", "mail", "--socket", ReadSocket(a));
        Assert.Contains("user root may only read here", root.Error);

        (int unreachable, _, string nobody) = await Control(a, HostUsers.Carl, "status");
        Assert.Equal(ExitCode.Unreachable, unreachable);
        Assert.Contains("as a member of the group mirrord, or to read only, of mirrord-read", nobody);
    }

    [RootFact("setpriv", "unshare", "curl")]
    public async Task The_mode_of_a_socket_gives_no_right()
    {
        DaemonProcess a = await Start("a");
        foreach (string socket in (string[])[a.Socket, ReadSocket(a), CallSocket(a)])
        {
            Assert.Equal(0, Syscall.chmod(socket, FilePermissions.ALLPERMS));
        }

        Assert.Equal("200", await Curl(HostUsers.Anna, a.Socket, "/v1/status"));
        Assert.Equal("403", await Curl(HostUsers.Bert, a.Socket, "/v1/status"));
        Assert.Equal("403", await Curl(HostUsers.Carl, a.Socket, "/v1/status"));
        Assert.Equal("200", await Curl(HostUsers.Bert, ReadSocket(a), "/v1/status"));
        Assert.Equal("403", await Curl(HostUsers.Carl, ReadSocket(a), "/v1/status"));
        Assert.Equal("403", await Curl(HostUsers.Anna, ReadSocket(a), "/v1/notify/test", "-X", "POST"));
        Assert.Equal("403", await Curl(
            HostUsers.Anna, CallSocket(a), "/v1/notify/test", "-X", "POST", "-H", "Mirrord-User: root@b; uid=0; rights=all"));
    }

    [RootFact("setpriv", "unshare", "curl")]
    public async Task A_call_for_another_node_is_made_there_in_the_name_of_who_asked()
    {
        DaemonProcess a = await Start("a");
        DaemonProcess b = await Start("b");

        Assert.Equal(ExitCode.Ok, (await Control(a, HostUsers.Anna, "notify", "test", "--node", "b")).ExitCode);
        Assert.Contains("user=anna@a uid=64511 call=\"POST /v1/notify/test\" result=200", await Logged(b, "anna@a"));
        Assert.Matches(@"user=anna uid=64511 pid=\d+ call=""POST /v1/notify/test"" on=b result=200", await Logged(a, "anna"));

        // Nobody says himself who he is, neither there nor here.
        string[] lie = ["-X", "POST", "-H", "Mirrord-User: root@a; uid=0; rights=all"];
        Assert.Equal("404", await Curl(HostUsers.Anna, a.Socket, "/v1/lie", [.. lie, "-H", "Mirrord-Node: b"]));
        Assert.Equal("404", await Curl(HostUsers.Anna, a.Socket, "/v1/lie", lie));
        await Within.Until(() => Task.FromResult(Regex.Matches(a.Log, "/v1/lie").Count == 2), "both calls in the log");
        Assert.Contains("user=anna@a uid=64511 call=\"POST /v1/lie\" result=404", await Logged(b, "anna@a[^\n]*lie"));
        Assert.DoesNotContain("user=root", a.Log + b.Log);

        // Who may only read here may only read there.
        Assert.Contains("(node b, ", (await Control(a, HostUsers.Bert, "version", "--node", "b")).Output);
        (int code, _, string error) = await Control(a, HostUsers.Bert, "notify", "test", "--node", "b");
        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("user bert may only read here", error);
        Assert.Matches(@"user=bert [^\n]* on=b result=403", await Logged(a, "bert"));
        Assert.DoesNotContain("bert", b.Log);
    }

    [RootFact("setpriv", "unshare")]
    public async Task Sockets_and_the_data_behind_them_are_open_to_those_whom_they_are_for_only()
    {
        DaemonProcess a = await Start("a");
        string resource = Path.Combine(Path.GetDirectoryName(a.Socket)!, "mail");
        string export = Path.Combine(resource, "data.nbd");
        await Within.Until(() => Task.FromResult(File.Exists(export)), "the export");

        Assert.Equal(("755", 0), ModeOf(Path.GetDirectoryName(a.Socket)!));
        Assert.Equal(("660", HostUsers.Control), ModeOf(a.Socket));
        Assert.Equal(("660", HostUsers.Read), ModeOf(ReadSocket(a)));
        Assert.Equal(("600", 0), ModeOf(CallSocket(a)));
        Assert.Equal(("750", HostUsers.Control), ModeOf(resource));
        await Within.Until(() => Task.FromResult(ModeOf(export) == ("660", HostUsers.Control)), "the export to be opened");
        Assert.Equal(0, (await _users.Run(HostUsers.Anna, "test", "-w", export)).ExitCode);
        Assert.Equal(1, (await _users.Run(HostUsers.Bert, "test", "-e", export)).ExitCode);
        Assert.Equal(1, (await _users.Run(HostUsers.Carl, "test", "-e", export)).ExitCode);
    }

    [RootFact("unshare")]
    public async Task Those_who_read_are_bounded_and_take_no_room_from_those_who_control()
    {
        DaemonProcess a = await Start("a");
        var readers = new List<Socket>();
        try
        {
            for (int i = 0; i < 250; i++)
            {
                var reader = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                readers.Add(reader);
                await reader.ConnectAsync(new UnixDomainSocketEndPoint(ReadSocket(a)));
            }

            await Within.Until(
                () => Task.FromResult(readers.Exists(reader => reader.Poll(0, SelectMode.SelectRead))),
                "the daemon to close what is too many");
            await a.Require("status");
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }

        // And come back when they have left.
        await Within.Until(
            async () => (await MirrorctlRun.Of("status", "--socket", ReadSocket(a))).ExitCode == 0, "room to read");
    }

    private static string ReadSocket(DaemonProcess daemon) => Beside(daemon, "mirrord-read.sock");

    private static string CallSocket(DaemonProcess daemon) => Beside(daemon, "mirrord-calls.sock");

    private static string Beside(DaemonProcess daemon, string name) =>
        Path.Combine(Path.GetDirectoryName(daemon.Socket)!, name);

    private static (string Mode, int Group) ModeOf(string path)
    {
        Assert.Equal(0, Syscall.lstat(path, out Stat found));
        return (Convert.ToString((int)(found.st_mode & FilePermissions.ALLPERMS), 8), (int)found.st_gid);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task<DaemonProcess> Start(string node)
    {
        DaemonProcess daemon =
            await DaemonProcess.StartAndWait(_directory.At("mirrord.yaml"), node, _directory.Root, _users.Words);
        _daemons.Add(daemon);
        return daemon;
    }

    /// <summary>Waits for a line with this caller, which is written after the answer.</summary>
    private static async Task<string> Logged(DaemonProcess daemon, string user)
    {
        await Within.Until(() => Task.FromResult(Regex.IsMatch(daemon.Log, $"user={user}")), $"a call of {user} in the log");
        return daemon.Log;
    }

    private Task<(int ExitCode, string Output, string Error)> Control(
        DaemonProcess daemon, HostUser user, params string[] words) =>
        _users.Run(user, [_users.Program("mirrorctl"), .. words, "--socket", daemon.Socket]);

    private async Task<string> Curl(HostUser user, string socket, string path, params string[] words)
    {
        (int code, string output, string error) = await _users.Run(user, [
            "curl", "--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}",
            "--unix-socket", socket, .. words, $"http://mirrord{path}"]);
        Assert.True(code == 0, error);
        return output;
    }
}
