using MirrorD.Daemon.Tests.Cli;

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
    public async Task Without_a_key()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration);

        await AssertRefused("a", "there is no cluster key", "make one with 'mirrorctl keygen'");
    }

    [Fact]
    public async Task With_a_key_that_others_can_read()
    {
        File.WriteAllText(_directory.At("mirrord.yaml"), Configuration);
        string key = Path.Combine(DaemonProcess.StateOf(_directory.Root, "a"), "cluster.key");
        await MirrorctlRun.Of("keygen", "--out", key);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        await AssertRefused("a", "is open to others (mode 404); chmod 600 ");
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
