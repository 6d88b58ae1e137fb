using MirrorD.Configuration.Identity;
using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>The handshake of a link: the other side must be a certain node.</summary>
internal sealed class TlsLinkHandshake(NodeSecurity security, IIoLoop loop, string peer, bool isConnector)
    : TlsHandshake(security, loop, isConnector)
{
    private NodeCertificate? _peer;

    protected override Distrust Judge(byte[] certificate, out string problem)
    {
        TrustVerdict verdict = Security.Judge(certificate, peer);
        _peer = verdict.Certificate;
        problem = verdict.Problem;
        return verdict.Distrust;
    }

    protected override SecuredLink Secure(TlsSession session)
    {
        Security.Remember(_peer!);
        byte[] secret = new byte[Formats.Peer.LinkKeys.KeyBytes];
        session.Export("EXPORTER-mirrord-link"u8, secret);
        return new SecuredLink(secret, new NodeId(_peer!.Id), new TlsRecords(session), session.Unread.ToArray());
    }
}
