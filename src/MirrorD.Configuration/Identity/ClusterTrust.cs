using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>Why a certificate is refused.</summary>
public enum Distrust
{
    /// <summary>It is not.</summary>
    None,
    /// <summary>The cluster's authority has not signed it, or it is no node's.</summary>
    UnknownAuthority,
    /// <summary>Its time has passed, or has not come.</summary>
    Expired,
    /// <summary>Its key was taken back.</summary>
    Revoked,
    /// <summary>It is another node's.</summary>
    SomebodyElse,
}

/// <summary>What is thought of a client's certificate.</summary>
/// <param name="Distrust">Why it is refused.</param>
/// <param name="Certificate">What it says; null when it is no client's.</param>
/// <param name="Problem">What is wrong and what to do; empty when nothing is.</param>
public sealed record ClientVerdict(Distrust Distrust, ClientCertificate? Certificate, string Problem);

/// <summary>What is thought of a certificate.</summary>
/// <param name="Distrust">Why it is refused.</param>
/// <param name="Certificate">What it says; null when it is no node's.</param>
/// <param name="Problem">What is wrong and what to do; empty when nothing is.</param>
public sealed record TrustVerdict(Distrust Distrust, NodeCertificate? Certificate, string Problem);

/// <summary>
/// Who is trusted: nodes, and clients of the NBD exports, whose certificates the cluster's authority has signed, whose keys
/// were not taken back. One is never taken for the other. Does not change; any thread.
/// </summary>
public sealed partial class ClusterTrust
{
    /// <summary>ecdsa-with-SHA256 (RFC 5758).</summary>
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    private readonly X509Certificate2Collection _authorities;
    private readonly IReadOnlySet<string> _revokedKeys;
    private readonly IReadOnlyDictionary<string, string> _knownKeys;

    /// <param name="authorities">Certificates of the authority; several while it is exchanged.</param>
    /// <param name="revokedKeys">Hashes of keys that were taken back.</param>
    /// <param name="knownKeys">Of each node the hash of the key with which it was let in last.</param>
    public ClusterTrust(
        X509Certificate2Collection authorities, IReadOnlySet<string> revokedKeys, IReadOnlyDictionary<string, string> knownKeys)
    {
        _authorities = authorities;
        _revokedKeys = revokedKeys;
        _knownKeys = knownKeys;
    }

    /// <summary>Certificates of the authority.</summary>
    public X509Certificate2Collection Authorities => _authorities;

    /// <summary>The key was taken back.</summary>
    public bool IsRevoked(string keyHash) => _revokedKeys.Contains(keyHash);

    /// <summary>Hashes of the keys that were taken back.</summary>
    public IEnumerable<string> RevokedKeys => _revokedKeys;

    /// <summary>Hash of the key with which a node was let in last; null when it never was.</summary>
    public string? KnownKey(string node) => _knownKeys.GetValueOrDefault(node);

    /// <summary>The node was let in with this very key last.</summary>
    public bool Knows(NodeCertificate node) => KnownKey(node.Name) == node.KeyHash;

    /// <summary>Judges a certificate that somebody has the key of.</summary>
    /// <param name="der">The certificate.</param>
    /// <param name="name">The node that it must be of; null: any node.</param>
    /// <param name="now">The time.</param>
    /// <remarks>
    /// A node that was let in before with the same key is let in whatever the time: an expired certificate, or a clock
    /// that is wrong after a power cut, must not end a mirror that runs. Only somebody new is refused then.
    /// </remarks>
    public TrustVerdict Judge(ReadOnlySpan<byte> der, string? name, DateTimeOffset now)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException)
        {
            return new TrustVerdict(Distrust.UnknownAuthority, null, "the other side's certificate is damaged");
        }

        using (certificate)
        {
            bool isSigned = IsSigned(certificate);
            if (!isSigned || NodeCertificate.Read(certificate) is not { } says)
            {
                return new TrustVerdict(Distrust.UnknownAuthority, null,
                    (isSigned ? "the other side's certificate is that of no node, but of a client or of nobody"
                        : "the other side's certificate is not from this cluster's authority")
                    + ": join that node to this cluster ('mirrorctl cluster token' here, 'mirrorctl cluster join' there)");
            }

            if (_revokedKeys.Contains(says.KeyHash))
            {
                return new TrustVerdict(Distrust.Revoked, says,
                    $"the other side has a key of node {says.Name} that was taken back: join it anew if it is the right machine");
            }

            if (name is not null && says.Name != name)
            {
                return new TrustVerdict(Distrust.SomebodyElse, says, $"the other side is node {says.Name}, not {name}");
            }

            bool isInTime = now >= says.NotBefore && now <= says.NotAfter;
            return isInTime || Knows(says)
                ? new TrustVerdict(Distrust.None, says, "")
                : new TrustVerdict(Distrust.Expired, says,
                    $"the other side's certificate is valid from {says.NotBefore:u} to {says.NotAfter:u}, which is not now: "
                    + "check both clocks, or run 'mirrorctl keys renew' there");
        }
    }

    /// <summary>
    /// The authority has signed it itself, as no authority: one signature and nothing else to follow (a chain of the
    /// system's kind takes 2 ms, which strangers could ask for).
    /// </summary>
    private bool IsSigned(X509Certificate2 certificate)
    {
        try
        {
            return certificate.SignatureAlgorithm.Value == EcdsaWithSha256
                && certificate.Extensions.OfType<X509BasicConstraintsExtension>().All(each => !each.CertificateAuthority)
                && _authorities.Any(authority => IsSignedBy(certificate, authority));
        }
        catch (Exception unusable) when (unusable is CryptographicException or AsnContentException)
        {
            return false;
        }
    }

    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData)
            || certificate.RawData.AsSpan().SequenceEqual(authority.RawData))
        {
            return false;
        }

        AsnReader parts = new AsnReader(certificate.RawData, AsnEncodingRules.DER).ReadSequence();
        ReadOnlyMemory<byte> signed = parts.ReadEncodedValue();
        _ = parts.ReadEncodedValue();
        byte[] signature = parts.ReadBitString(out int unusedBits);
        using ECDsa? key = authority.GetECDsaPublicKey();
        return unusedBits == 0 && !parts.HasData && key is not null && key.VerifyData(
            signed.Span, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}
