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
    private readonly NodeConfiguration _self;
    private readonly NodeConfiguration _peer;

    /// <summary>Nothing is connected yet.</summary>
    /// <param name="self">This node.</param>
    /// <param name="peer">The other node.</param>
    /// <param name="security">Who this node is.</param>
    public PeerCalls(NodeConfiguration self, NodeConfiguration peer, NodeSecurity security)
    {
        _self = self;
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
        foreach (NetworkPair pair in NetworkPair.Of(_self, _peer))
        {
            NetworkConfiguration network = pair.There;
            var endpoint = new IPEndPoint(network.Address, network.CallPort);
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(s_connectLimit);
            try
            {
                if (pair.Own is { } own)
                {
                    // A node under attack lets in whom it knows by the address: no service address, nor a temporary one.
                    socket.Bind(new IPEndPoint(own.Address, 0));
                }

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
