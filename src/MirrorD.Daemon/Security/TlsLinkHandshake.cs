using System.Security.Cryptography;
using MirrorD.Configuration.Identity;
using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>The handshake of one connection; its arithmetic is done on the thread of <see cref="HandshakeThread"/>.</summary>
internal sealed class TlsLinkHandshake : ILinkHandshake
{
    private readonly NodeSecurity _security;
    private readonly IIoLoop _loop;
    private readonly string _peer;
    private readonly bool _isConnector;
    private TlsSession? _session;
    private TrustVerdict? _verdict;

    public TlsLinkHandshake(NodeSecurity security, IIoLoop loop, string peer, bool isConnector)
    {
        _security = security;
        _loop = loop;
        _peer = peer;
        _isConnector = isConnector;
    }

    public ReadOnlySpan<byte> ToSend => _session is null ? [] : _session.ToSend;

    public string? Problem { get; private set; }

    public SecuredLink? Secured { get; private set; }

    public void Step(BufferSlice received, Action done) => _security.Thread.Do(() =>
    {
        try
        {
            Step(received.Span);
        }
        catch (Exception failed) when (failed is CryptographicException or DllNotFoundException)
        {
            Problem ??= failed.Message.TrimEnd('.');
        }

        _loop.Post(done);
    });

    public void Dispose() => _session?.Dispose();

    private void Step(ReadOnlySpan<byte> received)
    {
        _session ??= new TlsSession(_security.Context, _isConnector, Judge);
        _session.Step(received);
        if (_session.Problem is { } problem)
        {
            Problem = _verdict is { Distrust: not Distrust.None } ? _verdict.Problem : TlsCauses.Explain(problem);
        }
        else if (_session.IsSecure)
        {
            NodeCertificate peer = _verdict!.Certificate!;
            _security.Remember(peer);
            byte[] secret = new byte[Formats.Peer.LinkKeys.KeyBytes];
            _session.Export("EXPORTER-mirrord-link"u8, secret);
            Secured = new SecuredLink(
                secret, new NodeId(peer.Id), new TlsRecords(_session), _session.Unread.ToArray());
        }
    }

    private CertificateVerdict Judge(byte[] certificate)
    {
        _verdict = _security.Judge(certificate, _peer);
        return _verdict.Distrust switch
        {
            Distrust.None => CertificateVerdict.Accepted,
            Distrust.UnknownAuthority => CertificateVerdict.UnknownAuthority,
            Distrust.Expired => CertificateVerdict.Expired,
            Distrust.Revoked => CertificateVerdict.Revoked,
            Distrust.SomebodyElse => CertificateVerdict.SomebodyElse,
        };
    }
}
