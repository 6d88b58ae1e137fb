using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <content>Clients of the NBD exports.</content>
public sealed partial class ClusterTrust
{
    /// <summary>Judges a certificate that somebody has the key of who wants to use an export.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="allowed">Names of those who may.</param>
    /// <param name="now">The time.</param>
    public ClientVerdict JudgeClient(ReadOnlySpan<byte> der, IReadOnlySet<string> allowed, DateTimeOffset now)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException)
        {
            return new ClientVerdict(Distrust.UnknownAuthority, null, "the client's certificate is damaged");
        }

        using (certificate)
        {
            if (!IsSigned(certificate))
            {
                return new ClientVerdict(Distrust.UnknownAuthority, null,
                    "the client's certificate is not from this cluster's authority: make it one with "
                    + "'mirrorctl cluster issue-client' here");
            }

            if (ClientCertificate.Read(certificate) is not { } says)
            {
                return new ClientVerdict(Distrust.SomebodyElse, null,
                    "the certificate is not that of a client, but of a node or of nobody: make it one with "
                    + "'mirrorctl cluster issue-client' here");
            }

            if (_revokedKeys.Contains(says.KeyHash))
            {
                return new ClientVerdict(Distrust.Revoked, says, $"client {says.Name} has a key that was taken back");
            }

            if (!allowed.Contains(says.Name))
            {
                return new ClientVerdict(Distrust.SomebodyElse, says,
                    $"client {says.Name} is not allowed: add it to 'nbd-tcp', 'allow', if it may use this resource");
            }

            return now >= says.NotBefore && now <= says.NotAfter
                ? new ClientVerdict(Distrust.None, says, "")
                : new ClientVerdict(Distrust.Expired, says,
                    $"the certificate of client {says.Name} is valid from {says.NotBefore:u} to {says.NotAfter:u}, which is "
                    + "not now: check both clocks, or make it another one with 'mirrorctl cluster issue-client'");
        }
    }
}
