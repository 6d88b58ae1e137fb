using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>Parts of a certificate (X.509, RFC 5280) that say whose it is.</summary>
internal static class CertificateParts
{
    /// <summary>Object identifier of CN.</summary>
    public const string CommonName = "2.5.4.3";

    /// <summary>Object identifier of OU.</summary>
    public const string Unit = "2.5.4.11";

    private const string AlternativeNames = "2.5.29.17";

    /// <summary>A part of the subject's name; null when there is none, or more than one.</summary>
    /// <exception cref="CryptographicException">It is damaged.</exception>
    public static string? Subject(X509Certificate2 certificate, string oid)
    {
        string[] found =
        [
            .. certificate.SubjectName.EnumerateRelativeDistinguishedNames()
                .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == oid)
                .Select(part => part.GetSingleElementValue()).OfType<string>(),
        ];
        return found is [var only] ? only : null;
    }

    /// <summary>The rest of the first URI among the alternative names that begins so; null when there is none.</summary>
    public static string? UriOf(X509Certificate2 certificate, string prefix)
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
                if (text.StartsWith(prefix, StringComparison.Ordinal))
                {
                    return text[prefix.Length..];
                }
            }
        }
        catch (AsnContentException)
        {
            // Not as this program writes them.
        }

        return null;
    }

    /// <summary>It may be used for these purposes and no others (extended key usage).</summary>
    public static bool IsFor(X509Certificate2 certificate, params IReadOnlyList<string> purposes) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray() is [var usage]
        && usage.EnhancedKeyUsages.Cast<Oid>().Select(oid => oid.Value).Order().SequenceEqual(purposes.Order());
}
