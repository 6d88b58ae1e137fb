using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;
using MirrorD.Daemon.Security;

namespace MirrorD.Daemon.Forwarding;

/// <summary>TLS 1.3 between daemons: both show their certificates.</summary>
internal static class NodeTls
{
    /// <summary>Name of the protocol of calls (ALPN, RFC 7301): HTTP follows.</summary>
    public const string CallProtocol = "mirrord-call/1";

    private static readonly SslApplicationProtocol s_call = new(CallProtocol);
    private static readonly SslApplicationProtocol s_join = new(JoinExchange.Protocol);

    /// <summary>The calling side.</summary>
    /// <param name="connection">Connected; closed when this fails.</param>
    /// <param name="security">Who this node is.</param>
    /// <param name="peer">The node that must answer.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="IOException">Whoever answers is not that node, or refuses this one.</exception>
    public static async Task<SslStream> Call(Stream connection, NodeSecurity security, string peer, CancellationToken stop)
    {
        TrustVerdict? verdict = null;
        var channel = new SslStream(connection, leaveInnerStreamOpen: false);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = peer,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [s_call],
            LocalCertificateSelectionCallback = (_, _, _, _, _) => security.Certificate,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                (verdict = Judge(security, certificate, peer)).Distrust == Distrust.None,
        };
        await Authenticate(channel, () => channel.AuthenticateAsClientAsync(options, stop), () => verdict);
        return channel;
    }

    /// <summary>The called side.</summary>
    /// <param name="connection">Connected; closed when this fails.</param>
    /// <param name="security">Who this node is.</param>
    /// <param name="admitsStrangers">Somebody without certificate may come, to join.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>The channel, and the name of the node that calls; null for a stranger who wants to join.</returns>
    /// <exception cref="IOException">Whoever calls is no node of this cluster, or speaks something else.</exception>
    public static async Task<(SslStream Channel, string? Node)> Answer(
        Stream connection, NodeSecurity security, bool admitsStrangers, CancellationToken stop)
    {
        TrustVerdict? verdict = null;
        var channel = new SslStream(connection, leaveInnerStreamOpen: false);
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = security.Shown,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = admitsStrangers ? [s_call, s_join] : [s_call],
            ClientCertificateRequired = true,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is null
                ? admitsStrangers
                : (verdict = Judge(security, certificate, null)).Distrust == Distrust.None,
        };
        await Authenticate(channel, () => channel.AuthenticateAsServerAsync(options, stop), () => verdict);
        bool isJoining = channel.NegotiatedApplicationProtocol == s_join;
        string? node = verdict?.Certificate?.Name;
        if (isJoining ? node is not null : node is null || channel.NegotiatedApplicationProtocol != s_call)
        {
            await channel.DisposeAsync();
            throw new IOException(isJoining ? "a member of the cluster wants to join it" : "the caller shows no certificate");
        }

        return (channel, node);
    }

    private static TrustVerdict Judge(NodeSecurity security, X509Certificate? certificate, string? name) => certificate is null
        ? new TrustVerdict(Distrust.UnknownAuthority, null, "the other side shows no certificate")
        : security.Judge(certificate.GetRawCertData(), name);

    private static async Task Authenticate(SslStream channel, Func<Task> handshake, Func<TrustVerdict?> verdict)
    {
        try
        {
            await handshake();
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException or OperationCanceledException)
        {
            await channel.DisposeAsync();
            if (failed is OperationCanceledException)
            {
                throw;
            }

            throw new IOException(
                verdict() is { Distrust: not Distrust.None } refused ? refused.Problem
                    : (failed.InnerException ?? failed).Message.TrimEnd('.'),
                failed);
        }
    }
}
