using System.Net;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Somebody who connects to a node's link port and sends what a test tells him to.</summary>
internal sealed class LinkClient
{
    private readonly IIoLoop _loop;
    private readonly IoBuffer _in = new(64 * 1024);
    private readonly IoBuffer _out = new(64 * 1024);
    private readonly Queue<byte[]> _toSend = new();
    private readonly IoOperation _send;
    private readonly IoOperation _receive;
    private IConnection? _connection;

    /// <summary>Begins to connect; b listens at the given address unless said otherwise.</summary>
    public LinkClient(IIoLoop loop, string address = "10.0.0.2")
    {
        _loop = loop;
        OpenedAtNs = loop.NowNs;
        _send = new IoOperation(_ => Pump());
        _receive = new IoOperation(Arrived);
        loop.Connect(new TcpEndpoint(IPAddress.Parse(address), 7780), 3 * SimulatedPair.SecondNs,
            new IoOperation(Connected));
    }

    public static string Name => "stranger";

    /// <summary>Everything received so far.</summary>
    public List<byte> Received { get; } = [];

    public bool IsConnected => _connection is not null;

    /// <summary>The other side closed, or never answered.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>From the connection attempt to the close by the other side.</summary>
    public long LivedNs => ClosedAtNs - OpenedAtNs;

    private long OpenedAtNs { get; }

    private long ClosedAtNs { get; set; }

    /// <summary>Called when the other side closed.</summary>
    public Action? WhenClosed { get; set; }

    /// <summary>Called when something arrived.</summary>
    public Action? WhenReceived { get; set; }

    /// <summary>A process on a host of its own.</summary>
    public static SimulatedLoop Host(SimulatedWorld world, string address = "10.0.0.66")
    {
        world.AddAddress(Name, IPAddress.Parse(address));
        return world.CreateLoop(Name);
    }

    public static byte[] Hello(string resource = "r", int node = 1, byte challenge = 7)
    {
        byte[] bytes = new byte[PeerHello.Bytes];
        byte[] random = new byte[PeerHello.ChallengeBytes];
        Array.Fill(random, challenge);
        new PeerHello(new NodeId(new Guid(node, 0, 0, new byte[8])), random, resource, false).Encode(bytes);
        return bytes;
    }

    public void Send(byte[] bytes)
    {
        _toSend.Enqueue(bytes);
        Pump();
    }

    public void Close() => _connection?.Close();

    private void Connected(IoOperation operation)
    {
        _connection = operation.Connection;
        if (_connection is null)
        {
            End();
            return;
        }

        _loop.Receive(_connection, _in.Slice(0, _in.LengthBytes), 1, _receive);
        Pump();
    }

    private void Arrived(IoOperation operation)
    {
        if (operation.Result <= 0)
        {
            _connection!.Close();
            End();
            return;
        }

        Received.AddRange(_in.Span[..operation.Result]);
        _loop.Receive(_connection!, _in.Slice(0, _in.LengthBytes), 1, _receive);
        WhenReceived?.Invoke();
    }

    private void End()
    {
        IsClosed = true;
        ClosedAtNs = _loop.NowNs;
        WhenClosed?.Invoke();
    }

    private void Pump()
    {
        if (_connection is not null && !_send.IsPending && !IsClosed && _toSend.TryDequeue(out byte[]? next))
        {
            next.CopyTo(_out.Span);
            _loop.Send(_connection, _out.Slice(0, next.Length), _send);
        }
    }
}
