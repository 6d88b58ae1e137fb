using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Testing;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>A connection of a test to a server: sends bytes, keeps what comes back.</summary>
public sealed class NbdWire
{
    private readonly SimulatedWorld _world;
    private readonly IIoLoop _loop;
    private readonly IoBuffer _into = new(256 << 10);
    private readonly IoOperation _receive;
    private readonly Queue<byte[]> _toSend = new();
    private readonly IoOperation _send;
    private readonly List<byte> _received = [];
    private IoBuffer? _sending;
    private IConnection? _connection;
    private bool _reads = true;
    private bool _closed;

    public NbdWire(SimulatedWorld world, IIoLoop loop, Endpoint endpoint)
    {
        _world = world;
        _loop = loop;
        _receive = new IoOperation(OnReceived);
        _send = new IoOperation(OnSent);
        loop.Connect(endpoint, NbdWorld.Second, new IoOperation(connect =>
        {
            Assert.True(connect.Result == 0, $"connect failed, errno {-connect.Result}");
            _connection = connect.Connection;
            ReceiveOn();
            SendOn();
        }));
    }

    /// <summary>The server closed the connection, and all it had sent was received.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Bytes that were received and not yet taken.</summary>
    public int Available => _received.Count;

    /// <summary>Everything was handed to the connection.</summary>
    public bool AllSent => _connection is not null && _toSend.Count == 0 && !_send.IsPending;

    /// <summary>From now on bytes are masked on their way, as <see cref="ToldName"/> wants it.</summary>
    public bool IsMasked { get; set; }

    /// <summary>A client that does not read its replies.</summary>
    public bool Reads
    {
        get => _reads;
        set
        {
            _reads = value;
            ReceiveOn();
        }
    }

    public void Send(params byte[][] parts)
    {
        foreach (byte[] part in parts.Where(part => part.Length > 0))
        {
            _toSend.Enqueue(IsMasked ? ToldName.Masked(part) : part);
        }

        SendOn();
    }

    public byte[] Take(int count, string what = "")
    {
        Until(() => _received.Count >= count || IsEnded, $"{count} bytes {what}, have {_received.Count}");
        Assert.True(_received.Count >= count,
            $"closed by the server, {_received.Count} of {count} bytes {what}");
        byte[] taken = [.. _received.Take(count)];
        _received.RemoveRange(0, count);
        return taken;
    }

    /// <summary>Waits until the server has closed, and gives what it still sent.</summary>
    public byte[] TakeToEnd()
    {
        Until(() => IsEnded, "the server closes the connection");
        byte[] taken = [.. _received];
        _received.Clear();
        return taken;
    }

    public void Until(Func<bool> condition, string what) =>
        Assert.True(_world.RunUntil(condition, 120 * NbdWorld.Second), $"waited 120 s (virtual) for: {what}");

    /// <summary>Vanishes at once.</summary>
    public void Close()
    {
        if (_closed)
        {
            return;
        }

        Until(() => _connection is not null, "connected");
        _closed = true;
        _connection!.Close();
        Until(() => !_receive.IsPending && !_send.IsPending, "the client's own operations ended");
        _into.Dispose();
    }

    private void ReceiveOn()
    {
        if (_reads && !_closed && !IsEnded && _connection is not null && !_receive.IsPending)
        {
            _loop.Receive(_connection, _into.Slice(0, _into.LengthBytes), 1, _receive);
        }
    }

    private void OnReceived(IoOperation receive)
    {
        if (receive.Result <= 0)
        {
            IsEnded = true;
            return;
        }

        Span<byte> received = _into.Span[..receive.Result];
        _received.AddRange(IsMasked ? ToldName.Masked(received) : received);
        ReceiveOn();
    }

    private void SendOn()
    {
        if (_connection is null || _closed || _send.IsPending || !_toSend.TryDequeue(out byte[]? bytes))
        {
            return;
        }

        _sending = new IoBuffer(bytes.Length);
        bytes.CopyTo(_sending.Span);
        _loop.Send(_connection, _sending.Slice(0, bytes.Length), _send);
    }

    private void OnSent(IoOperation send)
    {
        _sending!.Dispose();
        SendOn();
    }
}
