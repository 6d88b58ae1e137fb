using MirrorD.Configuration.Identity;
using MirrorD.Daemon.Threads;
using MirrorD.Engine.Link;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>
/// The handshake of one connection. The arithmetic of all is done on one thread of their own, so that it never holds up a
/// resource's requests; what waits there is little, since few connections authenticate at once.
/// </summary>
internal sealed class TlsLinkHandshake : ILinkHandshake
{
    private static readonly OwnThread s_arithmetic = new("handshakes");

    private readonly NodeSecurity _security;
    private readonly IIoLoop _loop;
    private readonly string _peer;
    private readonly bool _isConnector;
    private TlsSession? _session;
    private TrustVerdict? _verdict;
    private volatile bool _isGivenUp;

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

    public void Step(BufferSlice received, Action done) => _ = s_arithmetic.Do(() =>
    {
        try
        {
            if (!_isGivenUp)
            {
                Step(received.Span);
            }
        }
        catch (Exception failed)
        {
            // Whatever a stranger has found: it ends this connection, and nothing else.
            Problem ??= $"the handshake broke: {failed.Message.TrimEnd('.')}";
        }

        _loop.Post(done);
        return true;
    });

    public void GiveUp() => _isGivenUp = true;

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
