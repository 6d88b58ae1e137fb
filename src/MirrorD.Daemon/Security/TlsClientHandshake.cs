using MirrorD.Configuration.Identity;
using MirrorD.Engine.Link;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>The handshake of a client of the NBD exports: it must have one of some names.</summary>
internal sealed class TlsClientHandshake(NodeSecurity security, IIoLoop loop, IReadOnlySet<string> allowed)
    : TlsHandshake(security, loop, isConnector: false)
{
    private ClientCertificate? _client;

    protected override Distrust Judge(byte[] certificate, out string problem)
    {
        ClientVerdict verdict = Security.JudgeClient(certificate, allowed);
        _client = verdict.Certificate;
        problem = verdict.Problem;
        return verdict.Distrust;
    }

    protected override SecuredLink Secure(TlsSession session) =>
        new(ReadOnlyMemory<byte>.Empty, null, new TlsRecords(session), session.Unread.ToArray())
        {
            Name = _client!.Name,
            KeyHash = _client.KeyHash,
        };
}
