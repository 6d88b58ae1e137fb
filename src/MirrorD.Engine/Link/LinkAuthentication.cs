using System.Security.Cryptography;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Link;

/// <summary>
/// The first exchange on a new connection: the handshake of <see cref="ILinkSecurity"/>, then from both sides a hello
/// of fixed size and a proof that it belongs to this very connection. Nothing else is read before the other side's
/// proof was found right. Bounded in time and size.
/// </summary>
internal sealed class LinkAuthentication
{
    /// <summary>Most bytes of a handshake that are received.</summary>
    public const int MostHandshakeBytes = 16 * 1024;

    private const int HelloAt = 0;
    private const int PeerHelloAt = PeerHello.Bytes;
    private const int ProofAt = 2 * PeerHello.Bytes;
    private const int PeerProofAt = ProofAt + LinkKeys.KeyBytes;

    private readonly IIoLoop _loop;
    private readonly IConnection _connection;
    private readonly bool _isConnector;
    private readonly PeerHello _own;
    private readonly ILinkHandshake _handshake;
    private readonly Action<LinkAuthentication, AuthenticatedLink?, string> _ended;
    private readonly IoOperation _send;
    private readonly IoOperation _receive;
    private readonly IoOperation _timer;
    private readonly Action _stepped;
    private readonly IoBuffer _in = new(MostHandshakeBytes);
    private readonly IoBuffer _out = new(MostHandshakeBytes);
    private LinkStream? _stream;
    private int _receivedBytes;
    private bool _isStepping;
    private bool _hasMoreToSend;
    private LinkKeys? _keys;
    private NodeId _peer;
    private ushort _version;
    private bool _isProving;
    private bool _proofSent;
    private bool _isRight;
    private string? _failure;
    private bool _isReported;

    /// <param name="loop">The loop.</param>
    /// <param name="connection">The new connection.</param>
    /// <param name="isConnector">This side made the connection.</param>
    /// <param name="own">This side's hello, with a fresh challenge.</param>
    /// <param name="security">Who the other side is.</param>
    /// <param name="timeLimitNs">After this the connection is closed.</param>
    /// <param name="ended">Called once: with the link, or with null and the cause; the connection is then closed.</param>
    public LinkAuthentication(
        IIoLoop loop, IConnection connection, bool isConnector, PeerHello own, ILinkSecurity security, long timeLimitNs,
        Action<LinkAuthentication, AuthenticatedLink?, string> ended)
    {
        _loop = loop;
        _connection = connection;
        _isConnector = isConnector;
        _own = own;
        _ended = ended;
        _send = new IoOperation(Sent);
        _receive = new IoOperation(Received);
        _timer = new IoOperation(TimedOut);
        _stepped = Stepped;
        _handshake = security.Begin(isConnector);
        loop.StartTimer(loop.NowNs + timeLimitNs, _timer);
        if (_handshake.Secured is not null)
        {
            Greet();
        }
        else if (isConnector)
        {
            Step(0);
        }
        else
        {
            ReceiveHandshake();
        }
    }

    /// <summary>The connection that is being authenticated.</summary>
    public IConnection Connection => _connection;

    /// <summary>It is given up, or has ended.</summary>
    public bool IsEnding => _failure is not null || _isReported;

    /// <summary>Gives up.</summary>
    public void Cancel(string reason) => Fail(reason);

    private void ReceiveHandshake() => _loop.Receive(_connection, _in.Slice(0, MostHandshakeBytes - _receivedBytes), 1, _receive);

    private void Step(int receivedBytes)
    {
        _isStepping = true;
        _handshake.Step(_in.Slice(0, receivedBytes), _stepped);
    }

    private void Stepped()
    {
        _isStepping = false;
        if (_failure is null)
        {
            GoOn();
        }

        Finish();
    }

    private void GoOn()
    {
        ReadOnlySpan<byte> toSend = _handshake.ToSend;
        _hasMoreToSend = !toSend.IsEmpty && _send.IsPending;
        if (_hasMoreToSend)
        {
            // The other side's answer was faster than the end of the send that it answers.
            return;
        }

        if (!toSend.IsEmpty)
        {
            toSend.CopyTo(_out.Span);
            _loop.Send(_connection, _out.Slice(0, toSend.Length), _send);
        }

        if (_handshake.Problem is { } problem)
        {
            // What is to be sent tells the other side why: it leaves before the connection is closed.
            Fail(problem, closes: toSend.IsEmpty);
        }
        else if (_handshake.Secured is null)
        {
            ReceiveMore();
        }
        else if (!_send.IsPending)
        {
            Greet();
        }
    }

    private void ReceiveMore()
    {
        if (_receivedBytes == MostHandshakeBytes)
        {
            Fail("the handshake does not end");
        }
        else
        {
            ReceiveHandshake();
        }
    }

    private void Greet()
    {
        _stream = LinkStream.Of(_loop, _connection, _handshake.Secured!);
        _own.Encode(_out.Span);
        _stream.Send(_out.Slice(HelloAt, PeerHello.Bytes), _send);
        _stream.Receive(_in.Slice(PeerHelloAt, PeerHello.Bytes), PeerHello.Bytes, _receive);
    }

    private void Sent(IoOperation operation)
    {
        if (_failure is not null)
        {
            _connection.Close();
        }
        else if (operation.Result < 0)
        {
            Fail($"sending failed with errno {-operation.Result}");
        }
        else if (_hasMoreToSend)
        {
            GoOn();
        }
        else if (_stream is null && !_isStepping && _handshake.Secured is not null)
        {
            Greet();
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
        int expected = _stream is null ? 1 : _keys is null ? PeerHello.Bytes : LinkKeys.KeyBytes;
        if (operation.Result < expected)
        {
            Fail(operation.Result == -Errno.EBADMSG ? _stream!.Problem
                : operation.Result < 0 ? $"receiving failed with errno {-operation.Result}"
                : _stream is null ? "closed by the other side"
                : "closed by the other side: its log says why");
        }
        else if (_failure is null && _stream is null)
        {
            _receivedBytes += operation.Result;
            Step(operation.Result);
        }
        else if (_failure is null && _keys is null)
        {
            HelloReceived();
        }
        else if (_failure is null)
        {
            byte[] right = _isConnector ? _keys!.ListenerProof : _keys!.ConnectorProof;
            _isRight = CryptographicOperations.FixedTimeEquals(_in.Span.Slice(PeerProofAt, LinkKeys.KeyBytes), right);
            if (!_isRight)
            {
                Fail("the other side's proof does not belong to this connection: somebody stands in between");
            }
        }

        Finish();
    }

    private void HelloReceived()
    {
        Span<byte> theirs = _in.Span.Slice(PeerHelloAt, PeerHello.Bytes);
        SecuredLink secured = _handshake.Secured!;
        if (PeerHello.Decode(theirs, out string error) is not { } hello)
        {
            Fail(error);
            return;
        }

        if (hello.Encrypts != _own.Encrypts)
        {
            Fail($"the other side has encryption {OnOff(hello.Encrypts)}, this node {OnOff(_own.Encrypts)}: "
                + "'encryption' must be the same on both nodes");
            return;
        }

        if (hello.Resource != _own.Resource)
        {
            Fail($"the other side means resource {Printable(hello.Resource)}, not {_own.Resource}");
            return;
        }

        if (secured.Peer is { } certified && certified != hello.Node)
        {
            Fail($"the other side says that it is machine {hello.Node}, its certificate is that of machine {certified}");
            return;
        }

        _peer = hello.Node;
        _version = Math.Min(_own.Highest, hello.Highest);
        ReadOnlySpan<byte> ours = _out.Span.Slice(HelloAt, PeerHello.Bytes);
        _keys = _isConnector
            ? new LinkKeys(secured.Secret.Span, ours, theirs)
            : new LinkKeys(secured.Secret.Span, theirs, ours);
        _stream!.Receive(_in.Slice(PeerProofAt, LinkKeys.KeyBytes), LinkKeys.KeyBytes, _receive);
        if (!_send.IsPending)
        {
            SendProof();
        }
    }

    private static string OnOff(bool encrypts) => encrypts ? "on" : "off";

    private static string Printable(string text) =>
        new([.. text.Take(63).Select(c => c is > ' ' and < '\x7f' ? c : '?')]);

    private void SendProof()
    {
        _isProving = true;
        (_isConnector ? _keys!.ConnectorProof : _keys!.ListenerProof).CopyTo(_out.Span[ProofAt..]);
        _stream!.Send(_out.Slice(ProofAt, LinkKeys.KeyBytes), _send);
    }

    private void TimedOut(IoOperation operation)
    {
        if (operation.Result == 0)
        {
            Fail("no authentication within the time limit");
            _connection.Close();
        }

        Finish();
    }

    private void Fail(string reason, bool closes = true)
    {
        if (_failure is null && !_isReported)
        {
            _failure = reason;
            _handshake.GiveUp();
            if (closes)
            {
                _connection.Close();
                _loop.CancelTimer(_timer);
            }
        }
    }

    private void Finish()
    {
        if (_isReported)
        {
            return;
        }

        bool isDone = _isRight && _proofSent;
        if (isDone || (_failure is not null && !_send.IsPending))
        {
            _loop.CancelTimer(_timer);
        }

        if ((_failure is not null || isDone) && !_isStepping && !_send.IsPending && !_receive.IsPending && !_timer.IsPending)
        {
            _isReported = true;
            End();
        }
    }

    private void End()
    {
        _in.Dispose();
        _out.Dispose();
        if (_failure is not null)
        {
            _stream?.Dispose();
            _handshake.Dispose();
        }

        if (_failure is null && !_own.Encrypts)
        {
            _stream = _stream!.Unsealed();
        }

        _ended(this, _failure is null ? new AuthenticatedLink(_stream!, _keys!, _version, _peer) : null, _failure ?? "");
    }
}
