using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using MirrorD.Configuration;
using MirrorD.Daemon.Access;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Security;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// Lets the other nodes of the cluster use this node's control API: on each network a TCP port, behind it mutual TLS, behind
/// that the socket of this daemon on which the first bytes say which node calls, and a header who asks there. A machine with
/// a token can join on the same port. Bounded in connections, their rate and their time before a caller has shown its
/// certificate (<see cref="Strangers"/>), so that a flood does not keep nodes out.
/// </summary>
internal sealed class CallListener : IAsyncDisposable
{
    /// <summary>Calls of nodes at once; one more waits as long as a handshake may take.</summary>
    private const int MostCalls = 32;

    /// <summary>
    /// Connections that wait in the kernel: at the rate of <see cref="Strangers.Interval"/> for 0.6 s at most, within
    /// the time that a calling node gives each network.
    /// </summary>
    private const int Backlog = 128;

    private static readonly TimeSpan s_handshakeLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(2);

    private readonly NodeSecurity _security;
    private readonly Joining _joining;
    private readonly IReadOnlyList<IPAddress> _nodes;
    private readonly string _callSocket;
    private readonly ILogger _logger;
    private readonly ToldCauses _told = new(TimeProvider.System);
    private readonly Strangers _strangers = new(TimeProvider.System);
    private readonly SemaphoreSlim _calls = new(MostCalls, MostCalls);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(IPEndPoint Endpoint, TcpListener? Listener)> _open = [];
    private readonly List<Task> _listening = [];

    /// <summary>Nothing listens yet.</summary>
    /// <param name="security">Who this node is.</param>
    /// <param name="joining">Lets machines in.</param>
    /// <param name="nodes">Addresses from which nodes call.</param>
    /// <param name="callSocket">This daemon's socket for the calls of other nodes.</param>
    /// <param name="logger">Told what fails.</param>
    public CallListener(
        NodeSecurity security, Joining joining, IReadOnlyList<IPAddress> nodes, string callSocket, ILogger logger)
    {
        _security = security;
        _joining = joining;
        _nodes = nodes;
        _callSocket = callSocket;
        _logger = logger;
    }

    /// <summary>
    /// Listens on the networks; whoever connects is served once <see cref="Start"/> was called. A network whose address
    /// is not there yet is tried again.
    /// </summary>
    public void Open(IEnumerable<NetworkConfiguration> networks)
    {
        foreach (NetworkConfiguration network in networks)
        {
            var endpoint = new IPEndPoint(network.Address, network.CallPort);
            _open.Add((endpoint, TryOpen(endpoint, told: false)));
        }
    }

    /// <summary>Begins to serve.</summary>
    public void Start() => _listening.AddRange(_open.Select(each => Task.Run(() => Listen(each.Endpoint, each.Listener))));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_listening);
        _stopping.Dispose();
    }

    private TcpListener? TryOpen(IPEndPoint endpoint, bool told)
    {
        try
        {
            var listener = new TcpListener(endpoint);
            listener.Start(Backlog);
            return listener;
        }
        catch (SocketException failed)
        {
            if (!told)
            {
                ForwardingLog.CannotListen(_logger, endpoint.ToString(), failed.Message);
            }

            return null;
        }
    }

    private async Task Listen(IPEndPoint endpoint, TcpListener? opened)
    {
        while (!_stopping.IsCancellationRequested)
        {
            if (opened is null)
            {
                await Pause();
                opened = TryOpen(endpoint, told: true);
                continue;
            }

            using TcpListener listener = opened;
            await using var crowd = new CrowdedPort(listener.Server, _nodes);
            opened = null;
            try
            {
                while (true)
                {
                    Socket caller = await listener.AcceptSocketAsync(_stopping.Token);
                    IPAddress? from = (caller.RemoteEndPoint as IPEndPoint)?.Address;
                    Stranger stranger = _strangers.Enter(from, s_handshakeLimit, _stopping.Token);
                    _ = Serve(caller, stranger);
                    if (_strangers.Count() is { Ticks: > 0 } pause)
                    {
                        crowd.Noticed(from);
                        await Task.Delay(pause, _stopping.Token);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException failed)
            {
                ForwardingLog.CannotListen(_logger, endpoint.ToString(), failed.Message);
            }
        }
    }

    private async Task Pause()
    {
        try
        {
            await Task.Delay(s_retry, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The caller looks.
        }
    }

    private async Task Serve(Socket caller, Stranger stranger)
    {
        using Socket closed = caller;
        try
        {
            if (await Identify(caller, stranger) is not { } called)
            {
                return;
            }

            try
            {
                await using SslStream channel = called.Channel;
                using var end = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                await Bring(channel, called.Node, end);
            }
            finally
            {
                _calls.Release();
            }
        }
        catch (Exception failed) when (failed is IOException or SocketException or OperationCanceledException)
        {
            ForwardingLog.CallFailed(_logger, failed.Message);
        }
        catch (Exception failed)
        {
            // A fault in one call; it never reaches anything else.
            ForwardingLog.CallBroke(_logger, failed);
        }
    }

    /// <summary>A node that may call, and has one of <see cref="_calls"/>; null when whoever came was no node.</summary>
    private async Task<(SslStream Channel, string Node)?> Identify(Socket caller, Stranger stranger)
    {
        string? cause = null;
        string late = $"no handshake within {s_handshakeLimit.TotalSeconds:0} s";
        SslStream? unused = null;
        try
        {
            ReadOnlyMemory<byte> begun = await FirstRecord.Receive(caller, stranger.Ended);
            if (!begun.IsEmpty)
            {
                // Whoever listens is not to wait for a handshake.
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                (SslStream channel, string? node) = await NodeTls.Answer(
                    new BegunStream(caller, begun), _security, _joining.IsExpected, stranger.Ended);
                unused = channel;
                if (node is not null)
                {
                    late = $"the nodes have {MostCalls} calls under way already";
                    await _calls.WaitAsync(stranger.Ended);
                    unused = null;
                    return (channel, node);
                }

                await _joining.Serve(channel, stranger.Ended);
                return null;
            }
        }
        catch (IOException refused)
        {
            cause = refused.Message;
        }
        catch (OperationCanceledException) when (stranger.Ended.IsCancellationRequested)
        {
            // Told below.
        }
        finally
        {
            _strangers.Leave(stranger);
            if (unused is not null)
            {
                await unused.DisposeAsync();
            }
        }

        if (stranger.Ended.IsCancellationRequested)
        {
            cause ??= stranger.IsPushedOut ? "too many connections at once that have not shown who they are" : late;
        }

        if (cause is not null && !_stopping.IsCancellationRequested && _told.IsNew(cause))
        {
            ForwardingLog.CallRefused(_logger, stranger.From.ToString(), cause);
        }

        return null;
    }

    private async Task Bring(SslStream channel, string node, CancellationTokenSource end)
    {
        using var own = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await own.ConnectAsync(new UnixDomainSocketEndPoint(_callSocket), end.Token);
        await using var api = new NetworkStream(own, ownsSocket: false);
        await api.WriteAsync(BroughtCalls.Preface(node), end.Token);
        // Whichever side ends first ends both.
        await Task.WhenAny(channel.CopyToAsync(api, end.Token), api.CopyToAsync(channel, end.Token));
        await end.CancelAsync();
    }
}
