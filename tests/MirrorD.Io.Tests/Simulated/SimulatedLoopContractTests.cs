using System.Net;
using MirrorD.Io.Simulated;

namespace MirrorD.Io.Tests.Simulated;

public class SimulatedLoopContractTests : LoopContractTests
{
    private readonly SimulatedWorld _world = new(20240707);
    private int _number;

    protected override Endpoint SilentEndpoint => new TcpEndpoint(IPAddress.Parse("192.0.2.1"), 7000);

    protected override UdpEndpoint CreateUdpEndpoint(bool isV6)
    {
        var here = IPAddress.Parse(isV6 ? "fd00::1" : "10.0.0.1");
        _world.AddAddress("a", here);
        return new UdpEndpoint(here, 7000 + _number++, here, 7000 + _number++);
    }

    protected override IIoLoop CreateLoop()
    {
        _world.AddAddress("a", IPAddress.Parse("10.0.0.1"));
        return _world.CreateLoop("a");
    }

    protected override IDisk CreateDisk(long lengthBytes) =>
        _world.CreateDisk("a", $"disk{_number++}", lengthBytes);

    protected override Endpoint CreateEndpoint(bool tcp) => tcp
        ? new TcpEndpoint(IPAddress.Parse("10.0.0.1"), 0)
        : new UnixEndpoint($"/run/test{_number++}.sock");
}
