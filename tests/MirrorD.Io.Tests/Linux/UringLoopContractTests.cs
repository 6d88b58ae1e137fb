using System.Net;
using System.Net.Sockets;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

public sealed class UringLoopContractTests : LoopContractTests
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<Socket> _silent = [];
    private int _endpoints;

    /// <summary>
    /// A listener whose queue is full drops what else arrives: neither success nor refusal.
    /// </summary>
    protected override Endpoint SilentEndpoint
    {
        get
        {
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _silent.Add(listener);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(0);
            var only = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _silent.Add(only);
            only.Connect(listener.LocalEndPoint!);
            return new TcpEndpoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _silent.ForEach(socket => socket.Dispose());
        _directory.Dispose();
    }

    protected override IIoLoop CreateLoop() => new UringLoop();

    protected override IDisk CreateDisk(long lengthBytes)
    {
        string path = _directory.File($"disk{_endpoints++}");
        LinuxDisk.CreateFile(path, lengthBytes);
        return LinuxDisk.Open(path, isWritable: true, isExclusive: true);
    }

    protected override Endpoint CreateEndpoint(bool tcp) => tcp
        ? new TcpEndpoint(IPAddress.Loopback, 0)
        : new UnixEndpoint(_directory.File($"socket{_endpoints++}"));
}
