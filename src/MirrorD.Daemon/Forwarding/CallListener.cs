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
/// a token can join on the same port. Bounded in connections and in time before a caller has shown its certificate.
/// </summary>
internal sealed class CallListener : IAsyncDisposable
{
    private const int MostCalls = 32;

    private static readonly TimeSpan s_handshakeLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(2);

    private readonly NodeSecurity _security;
    private readonly Joining _joining;
    private readonly string _callSocket;
    private readonly ILogger _logger;
    private readonly ToldCauses _told = new(TimeProvider.System);
    private readonly SemaphoreSlim _calls = new(MostCalls, MostCalls);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(IPEndPoint Endpoint, TcpListener? Listener)> _open = [];
    private readonly List<Task> _listening = [];

    /// <summary>Nothing listens yet.</summary>
    /// <param name="security">Who this node is.</param>
    /// <param name="joining">Lets machines in.</param>
    /// <param name="callSocket">This daemon's socket for the calls of other nodes.</param>
    /// <param name="logger">Told what fails.</param>
    public CallListener(NodeSecurity security, Joining joining, string callSocket, ILogger logger)
    {
        _security = security;
        _joining = joining;
        _callSocket = callSocket;
        _logger = logger;
    }

    /// <summary>
    /// Listens on the networks; whoever connects is served once <see cref="Start"/> was called. A network whose address is not
    /// there yet is tried again.
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
            listener.Start();
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
            opened = null;
            try
            {
                while (true)
                {
                    await _calls.WaitAsync(_stopping.Token);
                    Socket caller = await AcceptOrRelease(listener);
                    _ = Task.Run(() => Serve(caller));
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

    private async Task<Socket> AcceptOrRelease(TcpListener listener)
    {
        try
        {
            return await listener.AcceptSocketAsync(_stopping.Token);
        }
        catch
        {
            _calls.Release();
            throw;
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

    private async Task Serve(Socket caller)
    {
        try
        {
            string from = (caller.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "?";
            using var connection = new NetworkStream(caller, ownsSocket: true);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            limit.CancelAfter(s_handshakeLimit);
            if (await Authenticate(connection, from, limit.Token) is not { } authenticated)
            {
                return;
            }

            await using SslStream channel = authenticated.Channel;
            if (authenticated.Node is not { } node)
            {
                await _joining.Serve(channel, limit.Token);
                return;
            }

            limit.CancelAfter(Timeout.InfiniteTimeSpan);
            await Bring(channel, node, limit);
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
        finally
        {
            _calls.Release();
        }
    }

    private async Task<(SslStream Channel, string? Node)?> Authenticate(Stream connection, string from, CancellationToken limit)
    {
        string cause;
        try
        {
            return await NodeTls.Answer(connection, _security, _joining.IsExpected, limit);
        }
        catch (IOException refused)
        {
            cause = refused.Message;
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            cause = $"no handshake within {s_handshakeLimit.TotalSeconds:0} s";
        }

        if (_told.IsNew(cause))
        {
            ForwardingLog.CallRefused(_logger, from, cause);
        }

        return null;
    }

    private async Task Bring(SslStream channel, string node, CancellationTokenSource limit)
    {
        using var own = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await own.ConnectAsync(new UnixDomainSocketEndPoint(_callSocket), limit.Token);
        await using var api = new NetworkStream(own, ownsSocket: false);
        await api.WriteAsync(BroughtCalls.Preface(node), limit.Token);
        // Whichever side ends first ends both.
        await Task.WhenAny(channel.CopyToAsync(api, limit.Token), api.CopyToAsync(channel, limit.Token));
        await limit.CancelAsync();
    }
}
