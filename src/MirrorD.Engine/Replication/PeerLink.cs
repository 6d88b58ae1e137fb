using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// Makes connections to the peer: the node whose name sorts first connects, the other one listens. A new
/// authenticated connection replaces the old one, which the peer must have given up.
/// </summary>
internal sealed class PeerLink
{
    private const long ConnectTimeoutNs = 3_000_000_000;
    private const long AuthenticationTimeoutNs = 3_000_000_000;
    private const long RetryNs = 300_000_000;
    private const long RefusedRetryNs = 10_000_000_000;

    /// <summary>Strangers may hold so many connections open while they authenticate; more are closed at once.</summary>
    private const int MaxAuthenticating = 8;

    private readonly IIoLoop _loop;
    private readonly ResourceOptions _options;
    private readonly IResourceHost _host;
    private readonly Action<IConnection, LinkKeys, bool> _connected;
    private readonly bool _isConnector;
    private readonly HashSet<LinkAuthentication> _authenticating = [];
    private readonly IoOperation _accept;
    private readonly IoOperation _connect;
    private IListener? _listener;
    private long _connectAtNs;
    private long _listenAtNs;
    private string _lastProblem = "";
    private bool _isStopped;

    /// <param name="loop">The loop.</param>
    /// <param name="options">Where, with which key.</param>
    /// <param name="host">Randomness and events.</param>
    /// <param name="connected">Gets each authenticated connection: its keys, and whether this side made it.</param>
    public PeerLink(
        IIoLoop loop, ResourceOptions options, IResourceHost host, Action<IConnection, LinkKeys, bool> connected)
    {
        _loop = loop;
        _options = options;
        _host = host;
        _connected = connected;
        _isConnector = string.CompareOrdinal(options.NodeName, options.PeerName) < 0;
        _accept = new IoOperation(Accepted);
        _connect = new IoOperation(ConnectDone);
    }

    /// <summary>The peer is connected or being authenticated: no further attempt is made.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Time passes.</summary>
    public void Tick()
    {
        if (_isStopped)
        {
            return;
        }

        long now = _loop.NowNs;
        if (_isConnector)
        {
            if (!IsBusy && !_connect.IsPending && _authenticating.Count == 0 && now >= _connectAtNs)
            {
                _connectAtNs = now + RetryNs;
                _loop.Connect(_options.Connect, ConnectTimeoutNs, _connect);
            }
        }
        else if (_listener is null && now >= _listenAtNs)
        {
            Listen();
        }
    }

    /// <summary>An operator has to act before another attempt makes sense: try seldom.</summary>
    public void SlowDown() => _connectAtNs = _loop.NowNs + RefusedRetryNs;

    /// <summary>Ends everything; the connection in use is not touched.</summary>
    public void Stop()
    {
        _isStopped = true;
        _listener?.Close();
        foreach (LinkAuthentication authentication in _authenticating.ToArray())
        {
            authentication.Cancel("stopping");
        }
    }

    private void Listen()
    {
        try
        {
            _listener = _loop.Listen(_options.Listen);
            _loop.Accept(_listener, _accept);
        }
        catch (IOException problem)
        {
            // The dedicated interface may come up later.
            _listenAtNs = _loop.NowNs + RetryNs;
            Tell($"can't listen for {_options.PeerName}: {problem.Message}");
        }
    }

    private void Accepted(IoOperation operation)
    {
        if (operation.Connection is { } connection)
        {
            if (_authenticating.Count >= MaxAuthenticating || _isStopped)
            {
                connection.Close();
            }
            else
            {
                Authenticate(connection);
            }
        }
        else if (!_isStopped)
        {
            Tell($"accepting a connection failed with errno {-operation.Result}");
            _listener?.Close();
            _listener = null;
            _listenAtNs = _loop.NowNs + RetryNs;
            return;
        }

        if (!_isStopped)
        {
            _loop.Accept(_listener!, _accept);
        }
    }

    private void ConnectDone(IoOperation operation)
    {
        if (operation.Connection is not { } connection)
        {
            Tell($"can't connect to {_options.PeerName} at {_options.Connect}: errno {-operation.Result}");
        }
        else if (_isStopped || IsBusy)
        {
            connection.Close();
        }
        else
        {
            Authenticate(connection);
        }
    }

    private void Authenticate(IConnection connection)
    {
        byte[] challenge = new byte[PeerHello.ChallengeBytes];
        _host.FillRandom(challenge);
        _authenticating.Add(new LinkAuthentication(
            _loop, connection, _isConnector, new PeerHello(_options.Node, challenge, _options.Name), _options.Key,
            AuthenticationTimeoutNs, Authenticated));
    }

    private void Authenticated(LinkAuthentication authentication, LinkKeys? keys, NodeId peer, string problem)
    {
        _authenticating.Remove(authentication);
        if (keys is null)
        {
            Tell($"link attempt with {authentication.Connection.Name} refused: {problem}");
        }
        else if (_isStopped || peer == _options.Node)
        {
            Tell(peer == _options.Node ? "the other side has this node's own id: don't copy the state directory" : "");
            authentication.Connection.Close();
        }
        else
        {
            _lastProblem = "";
            _connected(authentication.Connection, keys, _isConnector);
        }
    }

    /// <summary>One event per change of cause, not one per attempt.</summary>
    private void Tell(string problem)
    {
        if (problem != _lastProblem && problem.Length > 0)
        {
            _lastProblem = problem;
            _host.Raise(new ResourceEvent(_loop.NowNs, "link-problem", $"{_options.Name}: {problem}"));
        }
    }
}
