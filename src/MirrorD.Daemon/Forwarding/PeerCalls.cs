using System.Net;
using System.Net.Sockets;
using MirrorD.Configuration;
using MirrorD.Daemon.Security;

namespace MirrorD.Daemon.Forwarding;

/// <summary>HTTP calls to the control API of another node, over whichever network reaches it first.</summary>
internal sealed class PeerCalls : IDisposable
{
    private static readonly TimeSpan s_connectLimit = TimeSpan.FromSeconds(3);

    private readonly NodeSecurity _security;
    private readonly HttpClient _http;
    private readonly NodeConfiguration _peer;

    /// <summary>Nothing is connected yet.</summary>
    /// <param name="peer">The other node.</param>
    /// <param name="security">Who this node is.</param>
    public PeerCalls(NodeConfiguration peer, NodeSecurity security)
    {
        _peer = peer;
        _security = security;
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = Connect, UseProxy = false })
        {
            BaseAddress = new Uri("http://mirrord"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Sends the request; the reply's body is read by the caller.</summary>
    /// <exception cref="HttpRequestException">No network reaches the node, or whoever answers is not that node.</exception>
    public Task<HttpResponseMessage> Send(HttpRequestMessage request, CancellationToken stop) =>
        _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);

    public void Dispose() => _http.Dispose();

    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext _, CancellationToken stop)
    {
        var failures = new List<string>();
        foreach (NetworkConfiguration network in _peer.Dedicated.Concat(_peer.Production))
        {
            var endpoint = new IPEndPoint(network.Address, network.CallPort);
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(s_connectLimit);
            try
            {
                await socket.ConnectAsync(endpoint, limit.Token);
                return await NodeTls.Call(
                    new NetworkStream(socket, ownsSocket: true), _security, _peer.Name, limit.Token);
            }
            catch (Exception failed) when (failed is IOException or SocketException
                || (failed is OperationCanceledException && !stop.IsCancellationRequested))
            {
                socket.Dispose();
                string why = failed is OperationCanceledException
                    ? $"no answer within {s_connectLimit.TotalSeconds:0} s" : failed.Message.TrimEnd('.');
                failures.Add($"{endpoint}: {why}");
            }
        }

        throw new IOException($"node {_peer.Name} can't be reached ({string.Join("; ", failures)})");
    }
}
