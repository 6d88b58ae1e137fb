using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

/// <summary>What the file says about exports over TCP.</summary>
public class NbdTcpReadingTests
{
    private const string Plain = """
        nodes:
          a:
            dedicated: {address: 10.0.0.1}
            production: {address: 192.0.2.1}
          b:
            dedicated: {address: 10.0.0.2}
        arbiter: {directory: /mnt/arbiter}
        resources:
          web:
            between: [a, b]
            port: 7790
            volumes: {data: {device: /dev/vg0/web}}
            nbd-tcp: {address: 192.0.2.11, port: 10810, allow: shop}
          mail:
            between: [a, b]
            volumes: {data: {device: /dev/vg0/mail}}

        """;

    [Fact]
    public void Without_it_there_is_none() => Assert.Null(Read("").Configuration!.Resources["mail"].NbdTcp);

    [Theory]
    [InlineData("{address: 192.0.2.10, allow: [backup, vm1]}", "192.0.2.10", 10809, "backup vm1")]
    [InlineData("{address: '::', port: 10810, allow: backup}", "::", 10810, "backup")]
    [InlineData("{address: 0.0.0.0, allow: [a.b-c_9]}", "0.0.0.0", 10809, "a.b-c_9")]
    public void It_is_read(string value, string address, int port, string allow)
    {
        ConfigurationResult result = Read($"    nbd-tcp: {value}\n");
        Assert.Empty(result.Errors);
        NbdTcpConfiguration read = result.Configuration!.Resources["mail"].NbdTcp!;
        Assert.Equal(
            (address, port, allow), (read.Address.ToString(), read.Port, string.Join(' ', read.Allow.Order())));
    }

    [Theory]
    [InlineData("on", "the value 'on' stands here where a mapping is expected")]
    [InlineData("{allow: [backup]}", "resources.mail.nbd-tcp has no 'address'")]
    [InlineData("{address: 192.0.2.10/24, allow: [backup]}", "'192.0.2.10/24' is not an IP address")]
    [InlineData("{address: 192.0.2.10, port: 0, allow: [backup]}", "'0' is not a TCP port")]
    [InlineData("{address: 192.0.2.10}", "resources.mail.nbd-tcp does not say which clients may use the exports")]
    [InlineData("{address: 192.0.2.10, allow: []}", "resources.mail.nbd-tcp does not say which clients may use the exports")]
    [InlineData("{address: 192.0.2.10, allow: [backup, '*']}", "'*' can't be the name of a client")]
    [InlineData("{address: 192.0.2.10, allow: [{a: b}]}", "a mapping stands here where the name of a client is expected")]
    [InlineData("{address: 192.0.2.10, alow: [backup]}", "unknown key 'alow'")]
    [InlineData("{address: 192.0.2.11, port: 10810, allow: [backup]}", "is that of the exports of resource web")]
    [InlineData("{address: 0.0.0.0, port: 10810, allow: [backup]}", "is that of the exports of resource web")]
    [InlineData("{address: 10.0.0.2, port: 7779, allow: [backup]}", "is that of the calls to node b ('call-port')")]
    [InlineData("{address: 0.0.0.0, port: 7790, allow: [backup]}", "is that of the link of resource web")]
    public void Mistakes_are_told(string value, string problem)
    {
        IReadOnlyList<ConfigurationError> errors = Read($"    nbd-tcp: {value}\n").Errors;
        Assert.Contains(errors, each => each.ToString().Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Ports_that_do_not_meet_are_no_mistake() =>
        Assert.Empty(Read("    nbd-tcp: {address: '::', port: 10810, allow: [backup]}\n").Errors);

    private static ConfigurationResult Read(string added) => ConfigurationFile.Parse(("m.yaml", Plain + added));
}
