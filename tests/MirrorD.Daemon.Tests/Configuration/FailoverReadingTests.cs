using System.Net;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

/// <summary>What the file says about losing the peer, taking over and telling people.</summary>
public class FailoverReadingTests
{
    private const string Plain = """
        nodes:
          a:
            dedicated: {address: 10.0.0.1}
            production: {address: 192.0.2.1, interface: eth0}
          b:
            dedicated: {address: 10.0.0.2}
            production: {address: 192.0.2.2, interface: eth0}
        resources:
          mail:
            between: [a, b]
            volumes: {data: {device: /dev/vg0/mail}}

        """;

    [Theory]
    [InlineData("", 60_000)]
    [InlineData("    disk-timeout: 2s", 2000)]
    [InlineData("    disk-timeout: none", 0)]
    public void A_disk_has_a_limit_or_none(string line, int milliseconds) =>
        Assert.Equal(milliseconds, Good(Plain + line).Resources["mail"].DiskTimeoutMs);

    [Theory]
    [InlineData("", SplitBrainChoice.Manual)]
    [InlineData("    split-brain: manual", SplitBrainChoice.Manual)]
    [InlineData("    split-brain: discard-unchanged", SplitBrainChoice.DiscardUnchanged)]
    [InlineData("    split-brain: discard-standby", SplitBrainChoice.DiscardStandby)]
    public void A_split_brain_is_an_operators_unless_a_policy_is_written(string line, SplitBrainChoice expected)
    {
        ConfigurationResult result = ConfigurationFile.Parse(("m.yaml", Plain + line));
        Assert.Equal(expected, result.Configuration!.Resources["mail"].SplitBrain);
        Assert.Equal(expected == SplitBrainChoice.DiscardStandby,
            result.Notes.Any(note => note.Contains("given up without asking", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_setting_has_its_default()
    {
        ClusterConfiguration configuration = Good(Plain);
        ResourceConfiguration mail = configuration.Resources["mail"];

        Assert.Equal(new HeartbeatConfiguration(500, 3000), configuration.Heartbeat);
        Assert.Empty(configuration.Notify.Mail);
        Assert.Empty(configuration.Notify.Commands);
        Assert.Equal("/usr/sbin/sendmail", configuration.Notify.Sendmail);
        Assert.Null(configuration.Nodes["a"].Production[0].Gateway);
        Assert.Equal(7780, configuration.Nodes["a"].Production[0].HeartbeatPort);
        Assert.Equal(7780, configuration.Nodes["a"].Dedicated[0].HeartbeatPort);
        Assert.Equal(PeerLossPolicy.Auto, mail.OnPeerLoss);
        Assert.Null(mail.PreferredPrimary);
        Assert.Equal(0, mail.TakeoverDelayMs);
        Assert.Equal(3000, mail.LinkTimeoutMs);
        Assert.Equal(2000, mail.OutdateTimeoutMs);
        Assert.Equal(10_000, mail.ReleaseTimeoutMs);
        Assert.Equal(new AddressProbeConfiguration(3, 100), mail.AddressProbe);
        Assert.Equal(PreferConnectedNode.Auto, mail.PreferConnectedNode);
        Assert.Null(mail.OnStop);
        Assert.Equal(BlockDevices.Auto, mail.BlockDevices);
    }

    [Fact]
    public void Every_setting_is_read()
    {
        ClusterConfiguration configuration = Good(Plain.Replace(
            "192.0.2.1,", "192.0.2.1, gateway: 192.0.2.254, heartbeat-port: 9001,").Replace(
            "10.0.0.2", "10.0.0.2, heartbeat-port: 9002") + """
                addresses: [{address: 'fd00::5/64'}]
                on-peer-loss: freeze
                autoswitch: false
                preferred-primary: b
                takeover-delay: 1.5s
                outdate-timeout: 250ms
                release-timeout: 20s
                address-probe: {count: 0, interval: 50ms}
                prefer-connected-node: ask
                on-stop: switchover
                block-devices: nbd
            heartbeat: {interval: 100ms, dead-after: 400ms}
            notify:
              mail: [root, admin@example.net]
              command: logger "$MIRRORD_MESSAGE"
              sendmail: /usr/bin/msmtp
            """);
        ResourceConfiguration mail = configuration.Resources["mail"];

        Assert.Equal(new HeartbeatConfiguration(100, 400), configuration.Heartbeat);
        Assert.Equal(["root", "admin@example.net"], configuration.Notify.Mail);
        Assert.Equal(["logger \"$MIRRORD_MESSAGE\""], configuration.Notify.Commands);
        Assert.Equal("/usr/bin/msmtp", configuration.Notify.Sendmail);
        Assert.Equal(IPAddress.Parse("192.0.2.254"), configuration.Nodes["a"].Production[0].Gateway);
        Assert.Equal(9001, configuration.Nodes["a"].Production[0].HeartbeatPort);
        Assert.Equal(9002, configuration.Nodes["b"].Dedicated[0].HeartbeatPort);
        Assert.Equal("fd00::5/64 on eth0", mail.On["a"].Addresses[0].ToString());
        Assert.Equal(PeerLossPolicy.Freeze, mail.OnPeerLoss);
        Assert.Equal("b", mail.PreferredPrimary);
        Assert.Equal(1500, mail.TakeoverDelayMs);
        Assert.Equal(250, mail.OutdateTimeoutMs);
        Assert.Equal(20_000, mail.ReleaseTimeoutMs);
        Assert.Equal(new AddressProbeConfiguration(0, 50), mail.AddressProbe);
        Assert.Equal(PreferConnectedNode.Ask, mail.PreferConnectedNode);
        Assert.Equal(OnStop.Switchover, mail.OnStop);
        Assert.Equal(BlockDevices.Nbd, mail.BlockDevices);
    }

    [Theory]
    [InlineData("heartbeat: {dead-after: 8s}", 8000)]
    [InlineData("heartbeat: {interval: 100ms, dead-after: 300ms}", 500)]
    [InlineData("    link-timeout: 7s\nheartbeat: {dead-after: 4s}", 7000)]
    public void The_link_timeout_is_that_of_the_heartbeats_unless_named(string added, int expectedMs) =>
        Assert.Equal(expectedMs, Good(Plain + added).Resources["mail"].LinkTimeoutMs);

    [Theory]
    [InlineData("", "", "", "Resource mail has no arbiter and no gateway")]
    [InlineData("g", "", "", "Resource mail has no arbiter, and node b has no gateway")]
    [InlineData("", "g", "", "Resource mail has no arbiter, and node a has no gateway")]
    [InlineData("g", "g", "", null)]
    [InlineData("", "", "arbiter: {directory: /mnt/x}", null)]
    [InlineData("g", "g", "    autoswitch: off", "Resource mail has 'autoswitch: off'")]
    [InlineData("g", "g", "    autoswitch: on", null)]
    [InlineData("g", "g", "    autoswitch: auto", null)]
    public void Autoswitch_is_on_when_a_third_party_can_be_asked(
        string gatewayOfA, string gatewayOfB, string added, string? off)
    {
        string text = Plain;
        text = gatewayOfA == "" ? text : text.Replace("192.0.2.1,", "192.0.2.1, gateway: 192.0.2.254,");
        text = gatewayOfB == "" ? text : text.Replace("192.0.2.2,", "192.0.2.2, gateway: 192.0.2.254,");

        ResourceConfiguration mail = Good(text + added).Resources["mail"];

        Assert.Equal(off is null, mail.Autoswitch);
        Assert.Equal(
            off is null ? null : off + ": the standby will not take over by itself",
            mail.AutoswitchOffReason);
    }

    [Theory]
    [InlineData("", false, 2)]
    [InlineData("    autoswitch: off", false, 1)]
    [InlineData("", true, 1)]
    public void Autoswitch_that_is_off_for_want_of_something_is_noted(string added, bool gateways, int notes)
    {
        string text = gateways
            ? Plain.Replace(", interface", ", gateway: 192.0.2.254, interface")
            : Plain;

        IReadOnlyList<string> found = ConfigurationFile.Parse(("m.yaml", text + added)).Notes;

        Assert.Equal(notes, found.Count);
        Assert.Equal(
            notes == 2, found.Contains(
                "Resource mail has no arbiter and no gateway: the standby will not take over by itself"));
    }

    private static ClusterConfiguration Good(string text)
    {
        ConfigurationResult result = ConfigurationFile.Parse(("m.yaml", text));
        Assert.Empty(result.Errors);
        return result.Configuration!;
    }
}
