using MirrorD.Configuration.Identity;
using MirrorD.Daemon.Threads;
using MirrorD.Engine.Link;
using MirrorD.Io;
using MirrorD.Io.Linux.Tls;

namespace MirrorD.Daemon.Security;

/// <summary>
/// The handshake of one connection. The arithmetic of all is done on one thread of their own, so that it never holds up a
/// resource's requests; what waits there is little, since few connections authenticate at once.
/// </summary>
/// <param name="security">Who this node is.</param>
/// <param name="loop">Where the connection is served.</param>
/// <param name="isConnector">This side made the connection.</param>
internal abstract class TlsHandshake(NodeSecurity security, IIoLoop loop, bool isConnector) : ILinkHandshake
{
    private static readonly OwnThread s_arithmetic = new("handshakes");

    private TlsSession? _session;
    private string? _refusal;
    private volatile bool _isGivenUp;

    /// <summary>Who this node is.</summary>
    protected NodeSecurity Security { get; } = security;

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

        loop.Post(done);
        return true;
    });

    public void GiveUp() => _isGivenUp = true;

    public void Dispose() => _session?.Dispose();

    /// <summary>Judges the other side's certificate.</summary>
    /// <param name="certificate">The certificate, DER.</param>
    /// <param name="problem">What is wrong and what to do.</param>
    protected abstract Distrust Judge(byte[] certificate, out string problem);

    /// <summary>The other side is known.</summary>
    protected abstract SecuredLink Secure(TlsSession session);

    private void Step(ReadOnlySpan<byte> received)
    {
        _session ??= new TlsSession(Security.Context, isConnector, Judge);
        _session.Step(received);
        if (_session.Problem is { } problem)
        {
            Problem = _refusal ?? TlsCauses.Explain(problem);
        }
        else if (_session.IsSecure)
        {
            Secured = Secure(_session);
        }
    }

    private CertificateVerdict Judge(byte[] certificate)
    {
        Distrust distrust = Judge(certificate, out string problem);
        _refusal = distrust == Distrust.None ? null : problem;
        return distrust switch
        {
            Distrust.None => CertificateVerdict.Accepted,
            Distrust.UnknownAuthority => CertificateVerdict.UnknownAuthority,
            Distrust.Expired => CertificateVerdict.Expired,
            Distrust.Revoked => CertificateVerdict.Revoked,
            Distrust.SomebodyElse => CertificateVerdict.SomebodyElse,
        };
    }
}
