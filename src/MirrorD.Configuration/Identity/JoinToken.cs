using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>
/// What lets one machine into a cluster, once: a secret, and the fingerprint by which the new machine knows the cluster's
/// authority before it says the secret. As text: a version byte, 16 bytes and 32 bytes in base64url (RFC 4648, section 5).
/// </summary>
public sealed record JoinToken(byte[] Secret, byte[] Fingerprint)
{
    private const byte Version = 1;
    private const int SecretBytes = 16;
    private const int Bytes = 1 + SecretBytes + SHA256.HashSizeInBytes;

    /// <summary>A new one, for a cluster with this authority.</summary>
    public static JoinToken Create(X509Certificate2 authority) =>
        new(RandomNumberGenerator.GetBytes(SecretBytes), FingerprintOf(authority));

    /// <summary>SHA-256 of the authority's certificate.</summary>
    public static byte[] FingerprintOf(X509Certificate2 authority) => SHA256.HashData(authority.RawData);

    /// <summary>Reads one; null when it is none.</summary>
    public static JoinToken? Parse(string text)
    {
        byte[] bytes = new byte[Bytes];
        return text.Length == Base64Url.GetEncodedLength(Bytes) && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, bytes, out int written) && written == Bytes && bytes[0] == Version
            ? new JoinToken(bytes[1..(1 + SecretBytes)], bytes[(1 + SecretBytes)..])
            : null;
    }

    /// <summary>As it is carried to the new machine.</summary>
    public override string ToString() => Base64Url.EncodeToString((byte[])[Version, .. Secret, .. Fingerprint]);
}
