using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Daemon.Security;

/// <summary>Links to one node by mutual TLS 1.3: it must show a certificate of this cluster with that node's name.</summary>
/// <param name="security">Who this node is.</param>
/// <param name="loop">The loop of the resource.</param>
/// <param name="peer">Name of the other node.</param>
internal sealed class TlsLinkSecurity(NodeSecurity security, IIoLoop loop, string peer) : ILinkSecurity
{
    public ILinkHandshake Begin(bool isConnector) => new TlsLinkHandshake(security, loop, peer, isConnector);
}
