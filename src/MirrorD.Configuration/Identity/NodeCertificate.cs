using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>
/// What a node's certificate says (X.509, RFC 5280): CN is the node's name, OU the word "node", and a URI among the
/// alternative names is "urn:uuid:" and the node's id (RFC 9562).
/// </summary>
/// <param name="Name">Name of the node.</param>
/// <param name="Id">Id of the node.</param>
/// <param name="NotBefore">From then on it is valid.</param>
/// <param name="NotAfter">Until then.</param>
/// <param name="KeyHash">SHA-256 of the public key (SubjectPublicKeyInfo), 64 hexadecimal digits.</param>
public sealed record NodeCertificate(string Name, Guid Id, DateTimeOffset NotBefore, DateTimeOffset NotAfter, string KeyHash)
{
    /// <summary>OU of a node.</summary>
    public const string Unit = "node";

    /// <summary>
    /// Host name in the certificate of every node, beside its own: clients of a service address can't know which node
    /// answers, only that it is one of the cluster.
    /// </summary>
    public const string CommonHostName = "mirrord";

    /// <summary>Before a node's id.</summary>
    public const string UriPrefix = "urn:uuid:";

    /// <summary>Reads a certificate; null when it is not one of a node.</summary>
    public static NodeCertificate? Read(X509Certificate2 certificate)
    {
        try
        {
            string? name = CertificateParts.Subject(certificate, CertificateParts.CommonName);
            return name is { Length: > 0 } && CertificateParts.Subject(certificate, CertificateParts.Unit) == Unit
                && IdOf(certificate) is { } id
                ? new NodeCertificate(
                    name, id, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(),
                    HashOf(certificate))
                : null;
        }
        catch (CryptographicException)
        {
            // Names, times and keys are read when they are asked for: damage in them shows only then.
            return null;
        }
    }

    /// <summary>SHA-256 of the certificate's public key.</summary>
    public static string HashOf(X509Certificate2 certificate) =>
        Convert.ToHexStringLower(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    private static Guid? IdOf(X509Certificate2 certificate) =>
        CertificateParts.UriOf(certificate, UriPrefix) is { } text && Guid.TryParseExact(text, "D", out Guid id) ? id : null;
}
