using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Daemon.Security;

/// <summary>Clients of the NBD exports by mutual TLS 1.3: they must show certificates of this cluster's clients.</summary>
/// <param name="security">Who this node is.</param>
/// <param name="loop">The loop of the resource.</param>
/// <param name="allowed">Names of those who may.</param>
internal sealed class TlsClientSecurity(NodeSecurity security, IIoLoop loop, IReadOnlySet<string> allowed) : ILinkSecurity
{
    public ILinkHandshake Begin(bool isConnector) => new TlsClientHandshake(security, loop, allowed);
}
