using System.Net;
using System.Net.Sockets;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

/// <param name="kind">Which loop.</param>
/// <param name="parent">Where its disks lie; null for the usual place.</param>
public abstract class LinuxLoopContractTests(LoopKind kind, string? parent = null) : LoopContractTests
{
    private readonly TemporaryDirectory _directory = new(parent);
    private readonly List<Socket> _silent = [];
    private int _endpoints;
    private static int _udpPorts;

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

    [Fact]
    public void A_connection_that_was_reset_says_so_to_the_first_send_that_fails()
    {
        (IConnection client, IConnection server) = ConnectedPair(tcp: true);
        Do(operation => Loop.Send(client, Text("unread"), operation));
        // The kernel resets what is closed while bytes lie unread.
        server.Close();
        int result = 0;
        for (int i = 0; i < 1000 && result >= 0; i++)
        {
            result = Do(operation => Loop.Send(client, Text("more"), operation));
        }

        Assert.Equal(-Errno.ECONNRESET, result);
        client.Close();
    }

    /// <summary>
    /// Two ends on this host, below the ports that the kernel gives out by itself; of 127.0.0.0/8 a part that
    /// only this process uses.
    /// </summary>
    internal static UdpEndpoint FreeUdpEndpoint(bool isV6 = false)
    {
        int pid = Environment.ProcessId;
        IPAddress here = isV6
            ? IPAddress.IPv6Loopback
            : new IPAddress([127, (byte)(1 + (pid >> 16 & 127)), (byte)(pid >> 8), (byte)(pid | 1)]);
        int port = 10_000 + (pid % 100 * 200) + Interlocked.Add(ref _udpPorts, 2);
        return new UdpEndpoint(here, port, here, port + 1);
    }

    public override void Dispose()
    {
        base.Dispose();
        _silent.ForEach(socket => socket.Dispose());
        _directory.Dispose();
    }

    protected override UdpEndpoint CreateUdpEndpoint(bool isV6) => FreeUdpEndpoint(isV6);

    protected override IIoLoop CreateLoop() => LoopFactory.Of(kind).Create();

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

public sealed class UringLoopContractTests() : LinuxLoopContractTests(LoopKind.Uring);

public sealed class EpollLoopContractTests() : LinuxLoopContractTests(LoopKind.Epoll);

public sealed class InMemoryContractTests() : LinuxLoopContractTests(LoopKind.Uring, "/dev/shm");
