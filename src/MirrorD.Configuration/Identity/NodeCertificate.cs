using System.Formats.Asn1;
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

    /// <summary>Before a node's id.</summary>
    public const string UriPrefix = "urn:uuid:";

    private const string AlternativeNames = "2.5.29.17";
    private const string CommonName = "2.5.4.3";
    private const string OrganizationalUnit = "2.5.4.11";

    /// <summary>Reads a certificate; null when it is not one of a node.</summary>
    public static NodeCertificate? Read(X509Certificate2 certificate)
    {
        try
        {
            string? name = Part(certificate, CommonName);
            return name is { Length: > 0 } && Part(certificate, OrganizationalUnit) == Unit && IdOf(certificate) is { } id
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

    private static string? Part(X509Certificate2 certificate, string oid)
    {
        string[] found =
        [
            .. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == oid)
                .Select(part => part.GetSingleElementValue()).OfType<string>(),
        ];
        return found is [var only] ? only : null;
    }

    private static Guid? IdOf(X509Certificate2 certificate)
    {
        if (certificate.Extensions.FirstOrDefault(each => each.Oid?.Value == AlternativeNames) is not { } names)
        {
            return null;
        }

        try
        {
            AsnReader sequence = new AsnReader(names.RawData, AsnEncodingRules.DER).ReadSequence();
            var uri = new Asn1Tag(TagClass.ContextSpecific, 6);
            while (sequence.HasData)
            {
                if (sequence.PeekTag() != uri)
                {
                    _ = sequence.ReadEncodedValue();
                    continue;
                }

                string text = sequence.ReadCharacterString(UniversalTagNumber.IA5String, uri);
                if (text.StartsWith(UriPrefix, StringComparison.Ordinal))
                {
                    return Guid.TryParseExact(text[UriPrefix.Length..], "D", out Guid id) ? id : null;
                }
            }
        }
        catch (AsnContentException)
        {
            // Not as this program writes them.
        }

        return null;
    }
}
