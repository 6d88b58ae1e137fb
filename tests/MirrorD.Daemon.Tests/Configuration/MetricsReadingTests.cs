using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

/// <summary>What the file says about the port of the metrics.</summary>
public class MetricsReadingTests
{
    [Fact]
    public void Without_it_there_is_none() => Assert.Null(Read("").Configuration!.Nodes["a"].Metrics);

    [Theory]
    [InlineData("{address: 10.20.0.1}", "10.20.0.1", 7778)]
    [InlineData("{address: '::', port: 9100}", "::", 9100)]
    public void It_is_read(string value, string address, int port)
    {
        ConfigurationResult result = Read($"    metrics: {value}\n");
        Assert.Empty(result.Errors);
        MetricsConfiguration read = result.Configuration!.Nodes["a"].Metrics!;
        Assert.Equal((address, port), (read.Address.ToString(), read.Port));
        Assert.Null(result.Configuration.Nodes["b"].Metrics);
    }

    [Theory]
    [InlineData("on", "the value 'on' stands here where a mapping is expected")]
    [InlineData("{port: 9100}", "nodes.a.metrics has no 'address'")]
    [InlineData("{address: 10.20.0.1/24}", "'10.20.0.1/24' is not an IP address to listen on")]
    [InlineData("{address: 10.20.0.1, port: 70000}", "'70000' is not a TCP port")]
    [InlineData("{adress: 10.20.0.1}", "unknown key 'adress'")]
    [InlineData("{address: 0.0.0.0, port: 7779}", "is that of the calls to node a ('call-port')")]
    [InlineData("{address: 10.0.0.1, port: 7790}", "is that of the link of resource web")]
    [InlineData("{address: 0.0.0.0, port: 10810}", "is that of the exports of resource web")]
    public void Mistakes_are_told(string value, string problem) =>
        Assert.Contains(Read($"    metrics: {value}\n").Errors, error => error.ToString()!.Contains(problem));

    private static ConfigurationResult Read(string lines) => ConfigurationFile.Parse(("test.yaml", $$$"""
        nodes:
          b:
            dedicated: {address: 10.0.0.2}
          a:
            dedicated: {address: 10.0.0.1}
        {{{lines.TrimEnd()}}}
        resources:
          web:
            between: [a, b]
            port: 7790
            volumes: {data: {device: /dev/vg0/web}}
            nbd-tcp: {address: 192.0.2.11, port: 10810, allow: shop}

        """));
}
