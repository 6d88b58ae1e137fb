using System.Net;
using System.Net.Sockets;
using MirrorD.Configuration;
using MirrorD.Daemon.Logging;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// Lets the other nodes of the cluster use this node's control API: on each network a TCP port, behind it the
/// authenticated, encrypted connection, behind that the socket of
/// this daemon on which a header says who asks there. Bounded in connections and in time
/// before a caller has shown the key.
/// </summary>
internal sealed class CallListener : IAsyncDisposable
{
    private const int MostCalls = 32;

    private static readonly TimeSpan s_handshakeLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(2);

    private readonly byte[] _key;
    private readonly string _callSocket;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _calls = new(MostCalls, MostCalls);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _listening = [];

    /// <summary>Nothing listens yet.</summary>
    /// <param name="key">The cluster's key.</param>
    /// <param name="callSocket">This daemon's socket for the calls of other nodes.</param>
    /// <param name="logger">Told what fails.</param>
    public CallListener(byte[] key, string callSocket, ILogger logger)
    {
        _key = key;
        _callSocket = callSocket;
        _logger = logger;
    }

    /// <summary>Begins to listen on the networks; one whose address is not there yet is tried again.</summary>
    public void Start(IEnumerable<NetworkConfiguration> networks)
    {
        foreach (NetworkConfiguration network in networks)
        {
            _listening.Add(Task.Run(() => Listen(new IPEndPoint(network.Address, network.CallPort))));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_listening);
        _stopping.Dispose();
    }

    private async Task Listen(IPEndPoint endpoint)
    {
        bool told = false;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                using var listener = new TcpListener(endpoint);
                listener.Start();
                told = false;
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
                if (!told)
                {
                    ForwardingLog.CannotListen(_logger, endpoint.ToString(), failed.Message);
                }

                told = true;
                await Pause();
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
            using var connection = new NetworkStream(caller, ownsSocket: true);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            limit.CancelAfter(s_handshakeLimit);
            await using SealedStream channel = await SealedHandshake.Answer(connection, _key, limit.Token);
            limit.CancelAfter(Timeout.InfiniteTimeSpan);
            using var own = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await own.ConnectAsync(new UnixDomainSocketEndPoint(_callSocket), limit.Token);
            await using var api = new NetworkStream(own, ownsSocket: false);
            // Whichever side ends first ends both.
            await Task.WhenAny(channel.CopyToAsync(api, limit.Token), api.CopyToAsync(channel, limit.Token));
            await limit.CancelAsync();
        }
        catch (Exception failed) when (failed is IOException or SocketException or OperationCanceledException)
        {
            ForwardingLog.CallFailed(_logger, failed.Message);
        }
        finally
        {
            _calls.Release();
        }
    }
}
