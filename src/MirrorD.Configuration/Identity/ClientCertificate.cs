using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>
/// What the certificate of a client of the NBD exports says (X.509, RFC 5280): OU is the word "client", a URI among the
/// alternative names is "urn:mirrord:client:" and the client's name, and it is good for a client's part in TLS only. CN is
/// "client" and the name: with a space, so that nobody takes it for the name of a host.
/// </summary>
/// <param name="Name">Name of the client.</param>
/// <param name="NotBefore">From then on it is valid.</param>
/// <param name="NotAfter">Until then.</param>
/// <param name="KeyHash">SHA-256 of the public key (SubjectPublicKeyInfo), 64 hexadecimal digits.</param>
public sealed record ClientCertificate(string Name, DateTimeOffset NotBefore, DateTimeOffset NotAfter, string KeyHash)
{
    /// <summary>OU of a client.</summary>
    public const string Unit = "client";

    /// <summary>Before a client's name, as URI.</summary>
    public const string UriPrefix = "urn:mirrord:client:";

    /// <summary>Before a client's name, in CN.</summary>
    public const string CommonNamePrefix = "client ";

    /// <summary>The one purpose: clientAuth (RFC 5280, section 4.2.1.12).</summary>
    internal const string Purpose = "1.3.6.1.5.5.7.3.2";

    private const int LongestName = 56;

    /// <summary>Reads a certificate; null when it is not one of a client.</summary>
    public static ClientCertificate? Read(X509Certificate2 certificate)
    {
        try
        {
            return CertificateParts.Subject(certificate, CertificateParts.Unit) == Unit
                && CertificateParts.IsFor(certificate, Purpose)
                && CertificateParts.UriOf(certificate, UriPrefix) is { } name && IsName(name)
                ? new ClientCertificate(
                    name, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime(),
                    NodeCertificate.HashOf(certificate))
                : null;
        }
        catch (CryptographicException)
        {
            // Names, times and keys are read when they are asked for: damage in them shows only then.
            return null;
        }
    }

    /// <summary>A client can have this name: as nodes' names, a little shorter (CN has 64 letters).</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= LongestName && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>What such a name looks like, for messages.</summary>
    public const string NameRule = "use up to 56 letters, digits, '-', '_' and '.', beginning with a letter or digit";
}
