using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

/// <summary>What the file says about modes, and what follows for takeovers.</summary>
public class ReplicationReadingTests
{
    private const string Plain = """
        nodes:
          a:
            dedicated: {address: 10.0.0.1}
          b:
            dedicated: {address: 10.0.0.2}
        arbiter: {directory: /mnt/arbiter}
        resources:
          mail:
            between: [a, b]
            volumes: {data: {device: /dev/vg0/mail}}

        """;

    [Fact]
    public void Sync_is_the_default() => Assert.Equal(
        new ReplicationConfiguration(MirrorMode.Sync, 16 << 20, 5000), Good("").Resources["mail"].Replication);

    [Theory]
    [InlineData("mode: sync", MirrorMode.Sync, 16, 5000)]
    [InlineData("mode: memory", MirrorMode.Memory, 16, 5000)]
    [InlineData("mode: async", MirrorMode.Async, 16, 5000)]
    [InlineData("mode: async\n    async-buffer: 64MiB\n    async-lag: 1500ms", MirrorMode.Async, 64, 1500)]
    public void A_mode_is_read_with_its_bounds(string lines, MirrorMode mode, int mebibytes, int lagMs) => Assert.Equal(
        new ReplicationConfiguration(mode, mebibytes << 20, lagMs), Good("    " + lines).Resources["mail"].Replication);

    [Theory]
    [InlineData("mode: sync", true)]
    [InlineData("mode: memory", true)]
    [InlineData("mode: async", false)]
    [InlineData("mode: async\n    autoswitch: on", true)]
    public void In_async_a_standby_takes_over_by_itself_only_when_told_so(string lines, bool autoswitch)
    {
        ResourceConfiguration mail = Good("    " + lines).Resources["mail"];
        Assert.Equal(autoswitch, mail.Autoswitch);
        Assert.Equal(autoswitch, mail.AutoswitchOffReason is null);
    }

    [Theory]
    [InlineData("mode: async", "Resource mail has 'mode: async', in which a takeover loses the latest writes")]
    [InlineData("mode: async\n    autoswitch: on", "resource mail: with 'mode: async' a takeover loses the latest writes")]
    public void What_a_takeover_in_async_may_lose_is_noted(string lines, string expected) => Assert.StartsWith(
        expected, Assert.Single(ConfigurationFile.Parse(("m.yaml", Plain + "    " + lines)).Notes));

    private static ClusterConfiguration Good(string added)
    {
        ConfigurationResult result = ConfigurationFile.Parse(("m.yaml", Plain + added));
        Assert.Empty(result.Errors);
        return result.Configuration!;
    }
}
