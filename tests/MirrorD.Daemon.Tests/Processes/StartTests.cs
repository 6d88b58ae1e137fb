using MirrorD.Daemon.Tests.Cli;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Tests.Processes;

/// <summary>What keeps the daemon from starting is told with its likely cause.</summary>
public sealed class StartTests : IDisposable
{
    private const string Configuration = """
        nodes:
          a: {dedicated: {address: 127.0.0.1}}
          b: {dedicated: {address: 127.0.0.2}}
        resources: {}
        """;

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Without_a_configuration() => await AssertRefused(
        "a", "there is no such file; write it (docs/configuration.md has an example)");

    [Fact]
    public async Task With_a_mistake_in_the_configuration()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration.Replace("resources", "resourcse"));

        await AssertRefused(
            "a", "mirrord.yaml:4: unknown key 'resourcse' in the configuration; did you mean 'resources'?");
    }

    [Fact]
    public async Task As_a_node_that_is_not_configured()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration);

        await AssertRefused("c", "mirrord: --node c: the configuration has no such node; it has a, b");
    }

    [Fact]
    public async Task Without_a_cluster()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration);

        await AssertRefused("a", "this node has no certificate", "make a cluster with 'mirrorctl cluster init'");
    }

    [Theory]
    [InlineData("cluster.key")]
    [InlineData("identity/node.pem")]
    public async Task With_a_key_that_others_can_read(string file)
    {
        string key = await MakeCluster(file);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        await AssertRefused("a", "is open to others (mode 404); chmod 600 ");
    }

    [Theory]
    [InlineData("identity/node.pem", "is damaged")]
    [InlineData("identity/authority.crt", "damaged")]
    [InlineData("cluster.key", "is damaged")]
    public async Task With_a_damaged_key(string file, string cause)
    {
        string key = await MakeCluster(file);
        string text = File.ReadAllText(key);
        File.WriteAllText(key, text[..40] + "?" + text[41..]);

        await AssertRefused("a", cause, file);
    }

    [Fact]
    public async Task With_a_key_that_belongs_to_somebody_else()
    {
        string key = await MakeCluster("identity/node.pem");
        Assert.Equal(0, Syscall.chown(key, 4711, 4711));

        await AssertRefused("a", "belongs to the user with number 4711", "chown root: ");
    }

    [Fact]
    public async Task With_the_state_of_another_node()
    {
        _ = await MakeCluster("node-id");

        await AssertRefused("b", "this node has no certificate");
        Directory.CreateDirectory(DaemonProcess.StateOf(_directory.Root, "b"));
        Directory.Delete(DaemonProcess.StateOf(_directory.Root, "b"), recursive: true);
        Directory.Move(DaemonProcess.StateOf(_directory.Root, "a"), DaemonProcess.StateOf(_directory.Root, "b"));
        await AssertRefused("b", "is that of node a with id", "don't copy the state directory of another node");
    }

    [Fact]
    public async Task With_a_certificate_of_another_authority()
    {
        string own = await MakeCluster("identity/authority.crt");
        await DaemonProcess.MakeCluster(_directory.At("mirrord.yaml"), _directory.At("other"), "a");
        File.Copy(Path.Combine(DaemonProcess.StateOf(_directory.At("other"), "a"), "identity/authority.crt"), own, true);

        await AssertRefused("a", "is not from the authority in");
    }

    [Fact]
    public async Task With_a_damaged_node_id()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration);
        string state = DaemonProcess.StateOf(_directory.Root, "a");
        Directory.CreateDirectory(state);
        File.WriteAllText(Path.Combine(state, "node-id"), "torn");

        await AssertRefused("a", "node-id does not hold a node id; restore it from a backup");
    }

    public void Dispose() => _directory.Dispose();

    private async Task<string> MakeCluster(string file)
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration);
        await DaemonProcess.MakeCluster(_directory.At("mirrord.yaml"), _directory.Root, "a");
        return Path.Combine(DaemonProcess.StateOf(_directory.Root, "a"), file);
    }

    private async Task AssertRefused(string node, params string[] texts)
    {
        using DaemonProcess daemon = DaemonProcess.Start(
            _directory.At("mirrord.yaml"), node, _directory.Root);
        Assert.Equal(1, await daemon.WaitForExit());
        foreach (string text in texts)
        {
            await Within.Until(
                () => Task.FromResult(daemon.Log.Contains(text)), $"'{text}' in:\n{daemon.Log}");
        }
    }
}
