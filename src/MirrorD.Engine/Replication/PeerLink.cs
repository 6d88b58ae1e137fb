using System.Net;
using MirrorD.Engine.Control;
using MirrorD.Engine.Link;
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

    /// <summary>
    /// So many connections from the peer's address authenticate at once, and so many from others. One more from the peer's takes
    /// the place of the oldest: a peer needs two round trips, whoever is still there after that is none. One more from
    /// elsewhere is closed: the peer connects from its address, so these don't keep it out.
    /// </summary>
    private const int MaxAuthenticating = 8;

    /// <summary>
    /// Pause of the listener while all places are taken, so that a flood costs the loop little: with it each connection from
    /// the peer's address has at least 40 ms, however many come.
    /// </summary>
    private const long CrowdPauseNs = 5_000_000;

    /// <summary>So many from elsewhere are closed between two pauses: they don't fill the kernel's queue.</summary>
    private const int ClosedBetweenPauses = 8;

    /// <summary>
    /// So long the kernel drops what comes from elsewhere, after one was closed: what it does for each one that it lets in is most
    /// of what a flood costs, and one that was closed comes back at once.
    /// </summary>
    private const long ShutNs = 1_000_000_000;

    /// <summary>So many from either may come at once; then one for each <see cref="CrowdPauseNs"/>, however short they stay.</summary>
    private const int Burst = 32;

    /// <summary>
    /// Different problems told within a while.
    /// </summary>
    private const int MaxTold = 16;

    private readonly IIoLoop _loop;
    private readonly ResourceOptions _options;
    private readonly IResourceHost _host;
    private readonly Func<NodeId, bool> _admits;
    private readonly Action<AuthenticatedLink, bool> _connected;
    private readonly IPAddress? _peerAddress;
    private readonly IPAddress[] _known;
    private readonly bool _isConnector;
    private readonly List<LinkAuthentication> _authenticating = new(2 * MaxAuthenticating);
    private readonly ToldOnce _told = new(MaxTold);
    private readonly Pace _paceOfPeer = new(CrowdPauseNs, Burst);
    private readonly Pace _paceElsewhere = new(CrowdPauseNs, Burst);
    private readonly IoOperation _accept;
    private readonly IoOperation _connect;
    private readonly IoOperation _crowdPause;
    private readonly IoOperation _shut;
    private IListener? _listener;
    private long _connectAtNs;
    private long _listenAtNs;
    private int _closedInCrowd;
    private bool _isStopped;

    /// <param name="loop">The loop.</param>
    /// <param name="options">Where, and how the peer is known.</param>
    /// <param name="host">Randomness and events.</param>
    /// <param name="admits">Whether a machine that is the peer by its certificate may be used.</param>
    /// <param name="connected">Gets each authenticated connection, and whether this side made it.</param>
    public PeerLink(
        IIoLoop loop, ResourceOptions options, IResourceHost host, Func<NodeId, bool> admits,
        Action<AuthenticatedLink, bool> connected)
    {
        _loop = loop;
        _options = options;
        _host = host;
        _admits = admits;
        _connected = connected;
        _peerAddress = (options.Connect as TcpEndpoint)?.Address;
        _known = _peerAddress is null ? [] : [_peerAddress];
        _isConnector = string.CompareOrdinal(options.NodeName, options.PeerName) < 0;
        _accept = new IoOperation(Accepted);
        _connect = new IoOperation(ConnectDone);
        _crowdPause = new IoOperation(_ => AcceptNext());
        _shut = new IoOperation(_ => _listener?.LetIn(null));
    }

    /// <summary>The peer is connected or being authenticated: no further attempt is made.</summary>
    public bool IsBusy { get; set; }

    /// <summary>This node is disconnected by an operator: nobody is let in, and no attempt is made.</summary>
    public bool IsHeldOff
    {
        get;
        set
        {
            if (value && !field)
            {
                field = true;
                CloseAll("disconnected");
            }

            field = value;
        }
    }

    /// <summary>The peer is disconnected by an operator: it need not be tried.</summary>
    public bool IsPeerHeldOff { get; set; }

    /// <summary>Time passes.</summary>
    public void Tick()
    {
        if (IsShut)
        {
            return;
        }

        long now = _loop.NowNs;
        if (_isConnector)
        {
            if (!IsBusy && !IsPeerHeldOff && !_connect.IsPending && _authenticating.Count == 0 && now >= _connectAtNs)
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

    /// <summary>The operator has acted.</summary>
    public void HurryUp() => _connectAtNs = 0;

    /// <summary>An operator has to act before another attempt makes sense: try seldom.</summary>
    public void SlowDown() => _connectAtNs = _loop.NowNs + RefusedRetryNs;

    /// <summary>Begins anew after a stop.</summary>
    public void Start() => _isStopped = false;

    /// <summary>Ends everything; the connection in use is not touched.</summary>
    public void Stop()
    {
        _isStopped = true;
        CloseAll("stopping");
    }

    private bool IsShut => _isStopped || IsHeldOff;

    private void CloseAll(string reason)
    {
        _listener?.Close();
        _listener = null;
        _loop.CancelTimer(_crowdPause);
        _loop.CancelTimer(_shut);
        foreach (LinkAuthentication authentication in _authenticating.ToArray())
        {
            authentication.Cancel(reason);
        }
    }

    private void Listen()
    {
        try
        {
            _listener = _loop.Listen(_options.Listen);
            AcceptNext();
        }
        catch (IOException problem)
        {
            // The dedicated interface may come up later.
            _listenAtNs = _loop.NowNs + RetryNs;
            Tell($"can't listen for {_options.PeerName}: {problem.Message}");
        }
    }

    private void AcceptNext()
    {
        if (!IsShut && _listener is not null)
        {
            _loop.Accept(_listener, _accept);
        }
    }

    private void Accepted(IoOperation operation)
    {
        if (IsShut)
        {
            operation.Connection?.Close();
            return;
        }

        if (operation.Connection is not { } connection)
        {
            Tell($"accepting a connection failed with errno {-operation.Result}");
            _listener?.Close();
            _listener = null;
            _listenAtNs = _loop.NowNs + RetryNs;
            return;
        }

        bool isElsewhere = IsElsewhere(connection);
        bool IsRival(LinkAuthentication each) => !each.IsEnding && IsElsewhere(each.Connection) == isElsewhere;
        bool isFull = _authenticating.Count(IsRival) >= MaxAuthenticating;
        bool isFast = (isElsewhere ? _paceElsewhere : _paceOfPeer).Count(_loop.NowNs) > 0;
        bool isCrowded = isFast || isFull;
        if (isCrowded && isElsewhere)
        {
            connection.Close();
            ShutOthersOut();
            Tell("too many connections authenticate at once from other addresses than the peer's", $" ({connection.Name})");
        }
        else
        {
            if (isFull)
            {
                _authenticating.First(IsRival).Cancel("too many connections authenticate at once");
            }

            Authenticate(connection);
        }

        if (isCrowded && (!isElsewhere || ++_closedInCrowd % ClosedBetweenPauses == 0))
        {
            _loop.StartTimer(_loop.NowNs + CrowdPauseNs, _crowdPause);
        }
        else
        {
            AcceptNext();
        }
    }

    private void ShutOthersOut()
    {
        if (!_shut.IsPending)
        {
            _listener?.LetIn(_known);
            _loop.StartTimer(_loop.NowNs + ShutNs, _shut);
        }
    }

    /// <summary>
    /// It does not come from where the peer connects from (of a link-local address the interface does not count), or is gone.
    /// </summary>
    private bool IsElsewhere(IConnection connection) => _peerAddress is not null
        && connection.RemoteAddress?.GetAddressBytes().AsSpan().SequenceEqual(_peerAddress.GetAddressBytes()) != true;

    private void ConnectDone(IoOperation operation)
    {
        if (operation.Connection is not { } connection)
        {
            string where = Describe(_options.Connect);
            Tell($"can't connect to {_options.PeerName} at {where}: errno {-operation.Result}");
        }
        else if (IsShut || IsBusy)
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
        var hello = new PeerHello(_options.Node, challenge, _options.Name, _options.Encrypts) { Highest = _options.LinkVersion };
        _authenticating.Add(new LinkAuthentication(
            _loop, connection, _isConnector, hello, _options.Security, AuthenticationTimeoutNs, Authenticated));
    }

    private void Authenticated(LinkAuthentication authentication, AuthenticatedLink? link, string problem)
    {
        _authenticating.Remove(authentication);
        if (link is null)
        {
            if (!IsHeldOff)
            {
                Tell($"link attempt refused: {problem}", $" ({authentication.Connection.Name})");
            }
        }
        else if (Refuses(link.Peer))
        {
            link.Stream.Close();
            link.Stream.Dispose();
        }
        else
        {
            _told.Forget();
            _connected(link, _isConnector);
        }
    }

    private bool Refuses(NodeId peer)
    {
        if (IsShut)
        {
            return true;
        }

        if (peer == _options.Node)
        {
            Tell("the other side has this node's own id: don't copy the state directory");
            return true;
        }

        if (_admits(peer))
        {
            return false;
        }

        // An operator has to act first.
        SlowDown();
        return true;
    }

    /// <summary>Each cause once, until the peer was there or some minutes have passed.</summary>
    /// <param name="problem">The cause, without what differs from attempt to attempt.</param>
    /// <param name="example">Where it happened this time.</param>
    private void Tell(string problem, string example = "")
    {
        if (_told.IsNew(problem, _loop.NowNs))
        {
            _host.Raise(new ResourceEvent(_loop.NowNs, "link-problem", $"{_options.Name}: {problem}{example}"));
        }
    }

    private static string Describe(Endpoint endpoint) => endpoint switch
    {
        TcpEndpoint tcp => new IPEndPoint(tcp.Address, tcp.Port).ToString(),
        UnixEndpoint unix => unix.Path,
        _ => endpoint.ToString(),
    };
}
