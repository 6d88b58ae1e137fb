using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Control;
using MirrorD.Daemon.Tests.Cli;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>A machine joins a cluster with a token, at a real daemon; whoever has no right to is refused.</summary>
public sealed class JoinTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<DaemonProcess> _daemons = [];
    private readonly int _callPort = FreePort();

    public async Task InitializeAsync()
    {
        string ports = $"port: {FreePort()}, heartbeat-port: {FreePort()}, call-port: {_callPort}";
        File.WriteAllText(Configuration, $$"""
            nodes:
              a: {dedicated: {address: 127.0.0.1, {{ports}}} }
              b: {dedicated: {address: 127.0.0.2, {{ports}}} }
              c: {dedicated: {address: 127.0.0.3, {{ports}}} }
            resources: {}
            """);
        await DaemonProcess.MakeCluster(Configuration, _directory.Root, "a");
    }

    private string Configuration => _directory.At("mirrord.yaml");

    public Task DisposeAsync()
    {
        _daemons.ForEach(daemon => daemon.Dispose());
        _directory.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_machine_with_a_token_becomes_a_member_that_is_answered()
    {
        DaemonProcess a = await Start("a");
        string token = await TokenFor("b");

        MirrorctlRun joined = await Join("b", "--token", token);

        Assert.Equal(("", ExitCode.Ok), (joined.Error, joined.ExitCode));
        DaemonProcess b = await Start("b");
        Assert.Contains("(node b, ", (await a.Control("version", "--node", "b")).Output);
        Assert.Contains("(node a, ", (await b.Control("version", "--node", "a")).Output);
        Assert.Contains("node-joined", (await a.Control("events")).Output);
        Assert.DoesNotContain(token, a.Log);

        // It can let others in.
        string forC = (await MirrorctlRun.Of(["cluster", "token", "c", .. Options("b")])).Output.Trim();
        Assert.Equal("", (await MirrorctlRun.Of(["cluster", "join", "b", "--token", forC, .. Options("c")])).Error);
    }

    [Fact]
    public async Task A_token_is_good_once()
    {
        await Start("a");
        string token = await TokenFor("b");
        Assert.Equal(ExitCode.Ok, (await Join("b", "--token", token)).ExitCode);
        string other = await TokenFor("c");
        Directory.Delete(Path.Combine(DaemonProcess.StateOf(_directory.Root, "b"), "identity"), recursive: true);

        MirrorctlRun again = await Join("b", "--token", token);

        Assert.Contains("the token is not good for node b: used, too old, or for another node", again.Error);
        Assert.Equal(ExitCode.Failed, again.ExitCode);
        Assert.False(File.Exists(IdentityOf("b").NodeFile));
        Assert.Contains("not good for node b", (await Join("b", "--token", other)).Error);
        Assert.Equal("", (await Join("c", "--token", other)).Error);
    }

    [Fact]
    public async Task A_token_that_is_too_old_is_used_up_for_nothing()
    {
        await Start("a");
        string text = await TokenFor("b");
        new JoinTokens(IdentityOf("a")).Add(JoinToken.Parse(text)!, "b", DateTimeOffset.UtcNow.AddSeconds(-2));

        Assert.Contains("not good for node b", (await Join("b", "--token", text)).Error);
        Assert.False(new JoinTokens(IdentityOf("a")).Any);
    }

    [Fact]
    public async Task Who_answers_with_another_authority_gets_no_secret()
    {
        // Somebody else at the address of node a, with a cluster of his own and even a token that waits there.
        await DaemonProcess.MakeCluster(Configuration, _directory.At("other"), "a");
        DaemonProcess stranger = await DaemonProcess.StartAndWait(Configuration, "a", _directory.At("other"));
        _daemons.Add(stranger);
        await MirrorctlRun.Of(["cluster", "token", "b", "--config", Configuration, "--node-name", "a", "--state-dir",
            DaemonProcess.StateOf(_directory.At("other"), "a")]);
        string token = await TokenFor("b");

        MirrorctlRun joined = await Join("b", "--token", token);

        Assert.Contains("does not belong to the cluster of this token", joined.Error);
        Assert.DoesNotContain("join-refused", (await stranger.Control("events")).Output);
        Assert.False(File.Exists(IdentityOf("b").NodeFile));
    }

    [Fact]
    public async Task Without_a_token_that_waits_nobody_is_heard()
    {
        await Start("a");
        using var authority = ClusterAuthority.FromPem(
            File.ReadAllText(IdentityOf("a").AuthorityFile), File.ReadAllText(IdentityOf("a").AuthorityKeyFile));
        string madeUp = JoinToken.Create(authority.Certificate).ToString();

        MirrorctlRun joined = await Join("b", "--token", madeUp);

        Assert.Contains("node a can't be asked", joined.Error);
        Assert.Contains("a token for node b waits there", joined.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!!")]
    public async Task A_damaged_token_is_no_attempt(string token)
    {
        MirrorctlRun joined = await Join("b", "--token", token);

        Assert.Contains("the token is damaged", joined.Error);
        Assert.Equal(ExitCode.Usage, joined.ExitCode);
    }

    [Fact]
    public async Task The_token_may_be_typed_in()
    {
        await Start("a");
        string token = await TokenFor("b");

        MirrorctlRun joined = await MirrorctlRun.Answering(token + "\n", ["cluster", "join", "a", .. Options("b")]);

        Assert.Equal(ExitCode.Ok, joined.ExitCode);
    }

    [Fact]
    public async Task A_machine_that_joins_in_place_of_another_one_ends_the_former_ones_key()
    {
        DaemonProcess a = await Start("a");
        Assert.Equal(ExitCode.Ok, (await Join("b", "--token", await TokenFor("b"))).ExitCode);
        Directory.Move(DaemonProcess.StateOf(_directory.Root, "b"), _directory.At("former"));
        Assert.Equal(ExitCode.Ok, (await Join("b", "--token", await TokenFor("b"))).ExitCode);

        // The former machine comes back with its old key.
        Directory.Move(DaemonProcess.StateOf(_directory.Root, "b"), _directory.At("new"));
        Directory.Move(_directory.At("former"), DaemonProcess.StateOf(_directory.Root, "b"));
        DaemonProcess former = await Start("b");
        MirrorctlRun call = await former.Control("events", "--node", "a");

        Assert.NotEqual(ExitCode.Ok, call.ExitCode);
        await Within.Until(() => Task.FromResult(a.Log.Contains("has a key of node b that was taken back")), "the cause");
    }

    [Fact]
    public async Task A_call_from_another_cluster_or_without_a_certificate_is_refused()
    {
        DaemonProcess a = await Start("a");
        await DaemonProcess.MakeCluster(Configuration, _directory.At("other"), "b");
        DaemonProcess stranger = await DaemonProcess.StartAndWait(Configuration, "b", _directory.At("other"));
        _daemons.Add(stranger);

        MirrorctlRun call = await stranger.Control("events", "--node", "a");

        Assert.Contains("certificate is not from this cluster's authority", call.Error);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _callPort);
        using var plain = new NetworkStream(socket);
        await plain.WriteAsync("GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray());
        byte[] answer = new byte[1024];
        int got = await Within.Deadline(plain.ReadAsync(answer).AsTask(), "the end");
        Assert.True(got < 20, System.Text.Encoding.ASCII.GetString(answer, 0, got));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private IdentityDirectory IdentityOf(string node) => new StateDirectory(DaemonProcess.StateOf(_directory.Root, node)).Identity;

    private string[] Options(string node) =>
        ["--config", Configuration, "--node-name", node, "--state-dir", DaemonProcess.StateOf(_directory.Root, node)];

    private async Task<string> TokenFor(string node)
    {
        MirrorctlRun made = await MirrorctlRun.Of(["cluster", "token", node, .. Options("a")]);
        Assert.Equal(ExitCode.Ok, made.ExitCode);
        return made.Output.Trim();
    }

    private Task<MirrorctlRun> Join(string node, params string[] more) =>
        MirrorctlRun.Of(["cluster", "join", "a", .. more, .. Options(node)]);

    private async Task<DaemonProcess> Start(string node)
    {
        DaemonProcess daemon = await DaemonProcess.StartAndWait(Configuration, node, _directory.Root);
        _daemons.Add(daemon);
        return daemon;
    }
}
