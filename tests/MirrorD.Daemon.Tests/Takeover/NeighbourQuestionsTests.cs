using System.Net;
using MirrorD.Configuration;
using MirrorD.Core.Failover;
using MirrorD.Daemon.Takeover;
using MirrorD.Io.Tests.Linux;

namespace MirrorD.Daemon.Tests.Takeover;

/// <summary>Questions to a neighbour in another network namespace.</summary>
public sealed class NeighbourQuestionsTests : IDisposable
{
    private static readonly IPAddress Own = IPAddress.Parse("10.97.1.2");
    private static readonly IPAddress Gateway = IPAddress.Parse("10.97.1.1");
    private static readonly IPAddress Service = IPAddress.Parse("10.97.1.10");
    private static readonly IPAddress ServiceV6 = IPAddress.Parse("fd00:97::10");

    private readonly NetworkNamespace _node = new();
    private readonly NetworkNamespace _gateway = new();

    public NeighbourQuestionsTests()
    {
        NetworkNamespace.Connect(_node, _gateway, "prod");
        _node.Ip("addr", "add", $"{Own}/24", "dev", "prod");
        _gateway.Ip("addr", "add", $"{Gateway}/24", "dev", "prod");
    }

    public void Dispose()
    {
        _node.Dispose();
        _gateway.Dispose();
    }

    [RootFact("ip")]
    public void An_address_that_nobody_has_is_free_and_one_that_somebody_has_names_him()
    {
        Assert.Null(WhoHolds());

        _gateway.Ip("addr", "add", $"{ServiceV6}/64", "dev", "prod", "nodad");
        Assert.Equal($"{ServiceV6} is held by {_gateway.MacOf("prod")}", WhoHolds());

        _gateway.Ip("addr", "add", $"{Service}/24", "dev", "prod");
        Assert.Equal($"{Service} is held by {_gateway.MacOf("prod")}", WhoHolds());
        Assert.Null(WhoHolds(new AddressProbeConfiguration(Count: 0)));
    }

    [RootFact("ip")]
    public void Without_carrier_nobody_can_be_asked_which_is_not_silence()
    {
        _gateway.Ip("link", "set", "prod", "down");
        _node.WaitUntilDown("prod");

        Assert.StartsWith($"nobody could be asked who has {Service} (", WhoHolds());
        Assert.Equal(GatewayEvidence.NoCarrier, Ask(Gateway, "prod"));
        Assert.Equal(GatewayEvidence.NoCarrier, Ask(null, "prod"));
    }

    [RootFact("ip")]
    public void A_gateway_answers_or_is_silent()
    {
        Assert.Equal(GatewayEvidence.Answers, Ask(Gateway, "prod"));
        Assert.Equal(GatewayEvidence.Answers, Ask(Gateway, device: null));
        Assert.Equal(GatewayEvidence.Silent, Ask(IPAddress.Parse("10.97.1.99"), "prod"));
        Assert.Equal(GatewayEvidence.NotConfigured, Ask(null, "prod"));
        Assert.Equal(GatewayEvidence.NoCarrier, Ask(Gateway, "nosuch"));
    }

    private string? WhoHolds(AddressProbeConfiguration? probe = null) => InNode(questions => questions.WhoHoldsAddresses(), () => new(
        [
            new ServiceAddressConfiguration(Service, 32, "prod"),
            new ServiceAddressConfiguration(ServiceV6, 128, "prod"),
            new ServiceAddressConfiguration(IPAddress.Parse("127.0.0.9"), 32, "lo"),
        ],
        probe ?? new AddressProbeConfiguration(), []));

    private GatewayEvidence Ask(IPAddress? gateway, string? device) => InNode(questions => questions.AskGateways(), () => new(
        [], new AddressProbeConfiguration(),
        [new NetworkConfiguration(Own, device, NetworkConfiguration.DefaultPort, gateway)]));

    private T InNode<T>(Func<NeighbourQuestions, Task<T>> question, Func<NeighbourQuestions> make)
    {
        T? answer = default;
        _node.Run(() =>
        {
            using NeighbourQuestions questions = make();
            answer = question(questions).GetAwaiter().GetResult();
        });
        return answer!;
    }
}
