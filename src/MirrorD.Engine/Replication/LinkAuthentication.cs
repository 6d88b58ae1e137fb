using System.Security.Cryptography;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// The first exchange on a new connection: both send a hello of fixed size, then a proof that they hold the
/// shared key. Nothing else is read before the other side's proof was found right. Bounded in time and size.
/// </summary>
internal sealed class LinkAuthentication
{
    private readonly IIoLoop _loop;
    private readonly IConnection _connection;
    private readonly bool _isConnector;
    private readonly string _resource;
    private readonly ReadOnlyMemory<byte> _key;
    private readonly Action<LinkAuthentication, LinkKeys?, NodeId, string> _ended;
    private readonly IoOperation _send;
    private readonly IoOperation _receive;
    private readonly IoOperation _timer;
    private readonly IoBuffer _memory = new(2 * (PeerHello.Bytes + LinkKeys.KeyBytes));
    private LinkKeys? _keys;
    private NodeId _peer;
    private bool _isProving;
    private bool _proofSent;
    private bool _isRight;
    private string? _failure;
    private bool _isReported;

    /// <param name="loop">The loop.</param>
    /// <param name="connection">The new connection.</param>
    /// <param name="isConnector">This side made the connection.</param>
    /// <param name="own">This side's hello, with a fresh challenge.</param>
    /// <param name="key">The shared key.</param>
    /// <param name="timeLimitNs">After this the connection is closed.</param>
    /// <param name="ended">Called once: with the keys, or with null and the cause; the connection is then
    /// closed.</param>
    public LinkAuthentication(
        IIoLoop loop, IConnection connection, bool isConnector, PeerHello own, ReadOnlyMemory<byte> key,
        long timeLimitNs, Action<LinkAuthentication, LinkKeys?, NodeId, string> ended)
    {
        _loop = loop;
        _connection = connection;
        _isConnector = isConnector;
        _resource = own.Resource;
        _key = key;
        _ended = ended;
        _send = new IoOperation(Sent);
        _receive = new IoOperation(Received);
        _timer = new IoOperation(TimedOut);
        own.Encode(OwnHello.Span);
        loop.StartTimer(loop.NowNs + timeLimitNs, _timer);
        loop.Send(connection, OwnHello, _send);
        loop.Receive(connection, PeerHelloBytes, PeerHello.Bytes, _receive);
    }

    /// <summary>The connection that is being authenticated.</summary>
    public IConnection Connection => _connection;

    private BufferSlice OwnHello => _memory.Slice(0, PeerHello.Bytes);

    private BufferSlice PeerHelloBytes => _memory.Slice(PeerHello.Bytes, PeerHello.Bytes);

    private BufferSlice OwnProof => _memory.Slice(2 * PeerHello.Bytes, LinkKeys.KeyBytes);

    private BufferSlice PeerProof =>
        _memory.Slice((2 * PeerHello.Bytes) + LinkKeys.KeyBytes, LinkKeys.KeyBytes);

    /// <summary>Gives up.</summary>
    public void Cancel(string reason) => Fail(reason);

    private void Sent(IoOperation operation)
    {
        if (operation.Result < 0)
        {
            Fail($"sending failed with errno {-operation.Result}");
        }
        else if (_keys is not null && !_isProving)
        {
            SendProof();
        }
        else if (_isProving)
        {
            _proofSent = true;
        }

        Finish();
    }

    private void Received(IoOperation operation)
    {
        int expected = _keys is null ? PeerHello.Bytes : LinkKeys.KeyBytes;
        if (operation.Result < expected)
        {
            Fail(operation.Result < 0 ? $"receiving failed with errno {-operation.Result}"
                : _keys is null ? "closed by the other side"
                : "closed by the other side: is the key the same there?");
        }
        else if (_failure is null && _keys is null)
        {
            HelloReceived();
        }
        else if (_failure is null)
        {
            byte[] right = _isConnector ? _keys!.ListenerProof : _keys!.ConnectorProof;
            _isRight = CryptographicOperations.FixedTimeEquals(PeerProof.Span, right);
            if (!_isRight)
            {
                Fail("the other side has another key: copy the key file to both nodes");
            }
        }

        Finish();
    }

    private void HelloReceived()
    {
        PeerHello? hello = PeerHello.Decode(PeerHelloBytes.Span, out string error);
        if (hello is null || hello.Resource != _resource)
        {
            Fail(hello is null
                ? error : $"the other side means resource {Printable(hello.Resource)}, not {_resource}");
            return;
        }

        _peer = hello.Node;
        _keys = _isConnector
            ? new LinkKeys(_key.Span, OwnHello.Span, PeerHelloBytes.Span)
            : new LinkKeys(_key.Span, PeerHelloBytes.Span, OwnHello.Span);
        _loop.Receive(_connection, PeerProof, LinkKeys.KeyBytes, _receive);
        if (!_send.IsPending)
        {
            SendProof();
        }
    }

    private static string Printable(string text) =>
        new([.. text.Take(63).Select(c => c is > ' ' and < '\x7f' ? c : '?')]);

    private void SendProof()
    {
        _isProving = true;
        (_isConnector ? _keys!.ConnectorProof : _keys!.ListenerProof).CopyTo(OwnProof.Span);
        _loop.Send(_connection, OwnProof, _send);
    }

    private void TimedOut(IoOperation operation)
    {
        if (operation.Result == 0)
        {
            Fail("no authentication within the time limit");
        }

        Finish();
    }

    private void Fail(string reason)
    {
        if (_failure is null && !_isReported)
        {
            _failure = reason;
            _connection.Close();
            _loop.CancelTimer(_timer);
        }
    }

    private void Finish()
    {
        if (_isReported)
        {
            return;
        }

        if (_failure is null && _isRight && _proofSent)
        {
            _loop.CancelTimer(_timer);
        }

        if ((_failure is not null || (_isRight && _proofSent))
            && !_send.IsPending && !_receive.IsPending && !_timer.IsPending)
        {
            _isReported = true;
            _memory.Dispose();
            _ended(this, _failure is null ? _keys : null, _peer, _failure ?? "");
        }
    }
}
