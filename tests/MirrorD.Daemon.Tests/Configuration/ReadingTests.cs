using System.Net;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

public class ReadingTests
{
    private const string Whole = """
        nodes:
          a:
            dedicated:
              - {address: 10.0.0.1, interface: eth1, port: 7000}
              - {address: 10.0.1.1, interface: eth2}
            production: {address: 192.0.2.1, interface: eth0}
            resources:
              mail:
                volumes:
                  data: {device: /dev/sdb1/, metadata: /dev/sdc1}
                addresses:
                  - {address: 192.0.2.11/24, interface: eth7}
          b:
            dedicated: {address: 10.0.0.2}
            production: {address: 192.0.2.2, interface: eno1}
            io: epoll
        resources:
          mail:
            between: [a, b]
            volumes:
              data: {device: /dev/vg0/mail}
              log: {file: /srv/mail.log.img, metadata: internal}
            addresses:
              - {address: 192.0.2.10/24}
              - {address: 192.0.2.11/32}
            on-peer-loss: continue
            mode: sync
            link-timeout: 2.5s
            resync-rate: 100MiB/s
            resync-rate-min: 10MiB/s
            resync: by-checksum
            hook-timeout: 1m
            hooks:
              pre-acquire: echo one
              post-acquire: [echo two, echo three]
          web:
            between: [b, a]
            port: 7781
            volumes: {data: {device: /dev/vg0/web}}
        arbiter: {directory: /mnt/arbiter/}
        """;

    [Fact]
    public void Every_setting_is_read()
    {
        ClusterConfiguration configuration = Good(ConfigurationFile.Parse(("m.yaml", Whole)));
        ResourceConfiguration mail = configuration.Resources["mail"];

        Assert.Equal("/mnt/arbiter", configuration.Arbiter!.Directory);
        Assert.Equal(2, configuration.Nodes["a"].Dedicated.Count);
        Assert.Equal((IoChoice.Auto, IoChoice.Epoll), (configuration.Nodes["a"].Io, configuration.Nodes["b"].Io));
        Assert.Equal(["mail", "web"], configuration.ResourcesOf("a").Select(resource => resource.Name));
        Assert.Equal("b", mail.PeerOf("a"));
        Assert.Equal("a", mail.PeerOf("b"));
        Assert.Equal(PeerLossPolicy.Continue, mail.OnPeerLoss);
        Assert.Equal(2500, mail.LinkTimeoutMs);
        Assert.Equal(100 << 20, mail.ResyncBytesPerSecond);
        Assert.Equal(10 << 20, mail.ResyncFloorBytesPerSecond);
        Assert.True(mail.Replication.ResyncByChecksum);
        Assert.Equal(60_000, mail.Hooks.TimeoutMs);
        Assert.Equal(["echo one"], mail.Hooks.PreAcquire);
        Assert.Equal(["echo two", "echo three"], mail.Hooks.PostAcquire);
        Assert.Empty(mail.Hooks.PreRelease);
    }

    [Fact]
    public void What_a_node_says_differently_counts_on_that_node_only()
    {
        ResourceConfiguration mail = Good(ConfigurationFile.Parse(("m.yaml", Whole))).Resources["mail"];

        Assert.Equal(
            [
                new VolumeConfiguration("data", "/dev/sdb1", false, "/dev/sdc1"),
                new VolumeConfiguration("log", "/srv/mail.log.img", true, null),
            ],
            mail.On["a"].Volumes);
        Assert.Equal(
            [
                new VolumeConfiguration("data", "/dev/vg0/mail", false, null),
                new VolumeConfiguration("log", "/srv/mail.log.img", true, null),
            ],
            mail.On["b"].Volumes);
        Assert.Equal(
            ["192.0.2.10/24 on eth0", "192.0.2.11/32 on eth7"], mail.On["a"].Addresses.Select(a =>
                a.ToString()));
        Assert.Equal(
            ["192.0.2.10/24 on eno1", "192.0.2.11/32 on eno1"], mail.On["b"].Addresses.Select(a =>
                a.ToString()));
    }

    [Fact]
    public void The_port_of_a_link_is_that_of_the_resource_else_of_the_node_else_7780()
    {
        ClusterConfiguration configuration = Good(ConfigurationFile.Parse(("m.yaml", Whole)));

        Assert.Equal(
            new NetworkConfiguration(IPAddress.Parse("10.0.0.1"), "eth1", 7000),
            configuration.Resources["mail"].On["a"].Link);
        Assert.Equal(
            new NetworkConfiguration(IPAddress.Parse("10.0.0.2"), null, 7780),
            configuration.Resources["mail"].On["b"].Link);
        Assert.Equal(7781, configuration.Resources["web"].On["a"].Link.Port);
    }

    [Fact]
    public void Files_of_conf_d_are_read_in_the_order_of_their_names()
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.At("conf.d"));
        File.WriteAllText(directory.At("mirrord.yaml"), """
            nodes:
              a: {dedicated: {address: 10.0.0.1}}
              b: {dedicated: {address: 10.0.0.2}}
            """);
        File.WriteAllText(directory.At("conf.d/20-web.yaml"),
            "resources: {web: {between: [a, b], port: 7781, volumes: {data: {device: /dev/vg0/web}}}}");
        File.WriteAllText(directory.At("conf.d/10-mail.yaml"),
            "resources: {mail: {between: [a, b], volumes: {data: {device: /dev/vg0/mail}}}}");
        File.WriteAllText(directory.At("conf.d/ignored.yml.bak"), "nonsense: {");

        ConfigurationResult result = ConfigurationFile.Load(directory.At("mirrord.yaml"));

        Assert.Equal(["mail", "web"], Good(result).Resources.Keys);
        Assert.Equal(
            ["mirrord.yaml", "10-mail.yaml", "20-web.yaml"], result.Files.Select(file =>
                Path.GetFileName(file)));
    }

    [Fact]
    public void A_missing_file_is_named_with_what_to_do()
    {
        ConfigurationResult result = ConfigurationFile.Load("/nonexistent/mirrord.yaml");

        Assert.Equal(
            "/nonexistent/mirrord.yaml: there is no such file; " +
            "write it (docs/configuration.md has an example), or name another one with --config",
            Assert.Single(result.Errors).ToString());
    }

    [Theory]
    [InlineData("a", "zzz", "a", null)]
    [InlineData(null, "b", "b", null)]
    [InlineData(null, "b.example.net", "b", null)]
    [InlineData("c", "a", null, "--node c: the configuration has no such node; it has a, b")]
    [InlineData(null, "mars", null,
        "this host is called mars, which is no node of the configuration (a, b); name the node with --node")]
    public void The_node_is_the_one_named_else_the_host_name(
        string? named, string hostName, string? expected, string? expectedError)
    {
        ClusterConfiguration configuration = Good(ConfigurationFile.Parse(("m.yaml", Whole)));

        Assert.Equal(expected, NodeName.Resolve(configuration, named, hostName, "--node", out string? error));
        Assert.Equal(expectedError, error);
    }

    [Fact]
    public void A_resource_without_arbiter_gets_notes()
    {
        ConfigurationResult result = ConfigurationFile.Parse(
            ("m.yaml", Whole.Replace("arbiter: {directory: /mnt/arbiter/}", "")));

        Assert.Collection(
            result.Notes,
            note => Assert.StartsWith(
                "resource mail: with 'on-peer-loss: continue' the two copies diverge", note),
            note => Assert.Equal(
                "Resource mail has no arbiter and no gateway: the standby will not take over by itself",
                note),
            note =>
                Assert.StartsWith("resource web: without an arbiter a Primary that loses its peer", note),
            note => Assert.Equal(
                "Resource web has no arbiter and no gateway: the standby will not take over by itself",
                note));
    }

    private static ClusterConfiguration Good(ConfigurationResult result)
    {
        Assert.Empty(result.Errors);
        return result.Configuration!;
    }
}
