using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>The kind of key that authorities and nodes have: EC on the curve P-256. Reads those that come from outside.</summary>
public static class EcKeys
{
    // RFC 5480, section 2.1.1.1.
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Makes one.</summary>
    public static ECDsa Create() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Reads a private key.</summary>
    /// <param name="pem">A text that has one.</param>
    /// <exception cref="CryptographicException">It has none, or one of another kind.</exception>
    public static ECDsa Private(string pem) => Read(
        key =>
        {
            // Takes a public key as well.
            key.ImportFromPem(pem);
            CryptographicOperations.ZeroMemory(key.ExportECPrivateKey());
        },
        "it has no private key on the curve P-256");

    /// <summary>Reads a public key.</summary>
    /// <param name="der">A SubjectPublicKeyInfo (RFC 5280), and nothing behind it.</param>
    /// <exception cref="CryptographicException">It is none, or one of another kind.</exception>
    public static PublicKey Public(byte[] der)
    {
        const string What = "it is no public key on the curve P-256";
        using ECDsa key = Read(
            key =>
            {
                key.ImportSubjectPublicKeyInfo(der, out int read);
                if (read != der.Length)
                {
                    throw new CryptographicException(What);
                }
            },
            What);
        return new PublicKey(key);
    }

    /// <summary>The certificate is for this key.</summary>
    public static bool IsOf(ECDsa key, X509Certificate2 certificate) =>
        certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo());

    private static ECDsa Read(Action<ECDsa> import, string otherwise)
    {
        var key = ECDsa.Create();
        try
        {
            import(key);
            if (key.ExportParameters(false).Curve is { IsNamed: true, Oid.Value: P256 })
            {
                return key;
            }
        }
        catch (Exception unusable) when (unusable is ArgumentException or NotSupportedException or CryptographicException)
        {
            // Other kinds of keys, and curves that the system does not know, are told in ways of their own.
        }

        key.Dispose();
        throw new CryptographicException(otherwise);
    }
}
