using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Daemon.Access;
using MirrorD.Daemon.Startup;
using Microsoft.AspNetCore.Http;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// Passes a call of the control API on to another node: the one that the header Mirrord-Node names. The reply, streams
/// too, goes back as it is.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    private readonly string _self;
    private readonly Dictionary<string, PeerCalls> _peers;

    /// <summary>Calls go to the other nodes of the configuration.</summary>
    public Forwarder(NodeContext context)
    {
        _self = context.Name;
        NodeConfiguration self = context.Configuration.Nodes[context.Name];
        _peers = context.Configuration.Nodes.Values.Where(node => node.Name != context.Name)
            .ToDictionary(node => node.Name, node => new PeerCalls(self, node, context.Security), StringComparer.Ordinal);
    }

    /// <summary>The other nodes.</summary>
    public IEnumerable<string> Nodes => _peers.Keys.Order(StringComparer.Ordinal);

    /// <summary>Makes a call to another node.</summary>
    /// <exception cref="HttpRequestException">It can't be reached, or whoever answers is not that node.</exception>
    public async Task<HttpResponseMessage> Send(
        string node, Caller caller, HttpMethod method, string path, HttpContent? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.TryAddWithoutValidation(ApiPaths.UserHeader, caller.ToHeader(_self));
        return await _peers[node].Send(request, stop);
    }

    /// <summary>True when the request is for this node.</summary>
    public bool IsForSelf(HttpContext http) =>
        !http.Request.Headers.TryGetValue(ApiPaths.NodeHeader, out var named) || named == _self;

    /// <summary>Forwards the request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="caller">Who asks, for the other node.</param>
    /// <returns>Null when a reply was sent; else what is wrong and what to do.</returns>
    public async Task<(string Problem, string Remedy)?> Forward(HttpContext http, Caller caller)
    {
        string name = http.Request.Headers[ApiPaths.NodeHeader].ToString();
        if (!_peers.TryGetValue(name, out PeerCalls? peer))
        {
            return ($"there is no node '{name}'", $"the nodes are {string.Join(", ", _peers.Keys.Append(_self).Order())}");
        }

        // None of the caller's headers: a node never passes a forwarded call on, and nobody says himself who he is.
        using var request = new HttpRequestMessage(
            new HttpMethod(http.Request.Method), $"{http.Request.Path}{http.Request.QueryString}");
        request.Headers.TryAddWithoutValidation(ApiPaths.UserHeader, caller.ToHeader(_self));
        if (http.Request.Method == HttpMethods.Post)
        {
            var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            body.Position = 0;
            request.Content = body.Length == 0 ? null : new StreamContent(body);
            request.Content?.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
        }

        try
        {
            using HttpResponseMessage reply = await peer.Send(request, http.RequestAborted);
            http.Response.StatusCode = (int)reply.StatusCode;
            http.Response.ContentType = reply.Content.Headers.ContentType?.ToString();
            await using Stream from = await reply.Content.ReadAsStreamAsync(http.RequestAborted);
            byte[] buffer = new byte[16 * 1024];
            int count;
            while ((count = await from.ReadAsync(buffer, http.RequestAborted)) > 0)
            {
                await http.Response.Body.WriteAsync(buffer.AsMemory(0, count), http.RequestAborted);
                await http.Response.Body.FlushAsync(http.RequestAborted);
            }

            return null;
        }
        catch (HttpRequestException failed)
        {
            return ((failed.InnerException ?? failed).Message.TrimEnd('.'),
                $"look after node {name} and the networks to it, or run mirrorctl there");
        }
    }

    public void Dispose()
    {
        foreach (PeerCalls peer in _peers.Values)
        {
            peer.Dispose();
        }
    }
}
