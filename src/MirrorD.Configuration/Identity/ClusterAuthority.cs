using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>
/// The cluster's own authority: a self-signed certificate that signs those of the nodes and of their NBD clients, and nothing
/// else. EC keys on P-256.
/// </summary>
public sealed class ClusterAuthority : IDisposable
{
    /// <summary>How long a certificate of a node or a client is valid.</summary>
    public static readonly TimeSpan NodeLifetime = TimeSpan.FromDays(2 * 365);

    private const int SerialBytes = 16;

    private static readonly Oid s_serverPurpose = new("1.3.6.1.5.5.7.3.1");

    private static readonly Oid s_clientPurpose = new(ClientCertificate.Purpose);

    /// <summary>Clocks of two machines differ.</summary>
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromDays(1);

    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(30 * 365);

    private readonly ECDsa _key;

    private ClusterAuthority(X509Certificate2 certificate, ECDsa key)
    {
        Certificate = certificate;
        _key = key;
    }

    /// <summary>What its signatures are checked with.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Makes a new one.</summary>
    public static ClusterAuthority Create(DateTimeOffset now)
    {
        ECDsa key = EcKeys.Create();
        string name = $"CN=MirrorD cluster {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 made = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - s_clockSkew, now + s_lifetime, Serial());
        return new ClusterAuthority(X509CertificateLoader.LoadCertificate(made.RawData), key);
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="CryptographicException">They are not a certificate and its key.</exception>
    public static ClusterAuthority FromPem(string certificate, string privateKey)
    {
        ECDsa key = EcKeys.Private(privateKey);
        X509Certificate2 loaded = X509Certificate2.CreateFromPem(certificate);
        return EcKeys.IsOf(key, loaded)
            ? new ClusterAuthority(loaded, key)
            : throw new CryptographicException("the key is not that of the certificate");
    }

    /// <summary>The private key as text.</summary>
    public string ExportKeyPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>Signs a certificate for a node.</summary>
    /// <param name="key">The node's public key: an EC key on P-256.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="id">The node's id.</param>
    /// <param name="now">From when on it is valid.</param>
    /// <param name="lifetime">How long; <see cref="NodeLifetime"/> in production.</param>
    public X509Certificate2 Issue(PublicKey key, string name, Guid id, DateTimeOffset now, TimeSpan lifetime)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        subject.AddOrganizationalUnitName(NodeCertificate.Unit);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddDnsName(NodeCertificate.CommonHostName);
        names.AddUri(new Uri(NodeCertificate.UriPrefix + id.ToString("D")));
        return Sign(key, subject, names, [s_serverPurpose, s_clientPurpose], now, lifetime);
    }

    /// <summary>Signs a certificate for a client of the NBD exports.</summary>
    /// <param name="key">The client's public key: an EC key on P-256.</param>
    /// <param name="name">Its name: <see cref="ClientCertificate.IsName"/>.</param>
    /// <param name="now">From when on it is valid.</param>
    /// <param name="lifetime">How long; <see cref="NodeLifetime"/> in production.</param>
    public X509Certificate2 IssueClient(PublicKey key, string name, DateTimeOffset now, TimeSpan lifetime)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(ClientCertificate.CommonNamePrefix + name);
        subject.AddOrganizationalUnitName(ClientCertificate.Unit);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(ClientCertificate.UriPrefix + name));
        return Sign(key, subject, names, [s_clientPurpose], now, lifetime);
    }

    private X509Certificate2 Sign(
        PublicKey key, X500DistinguishedNameBuilder subject, SubjectAlternativeNameBuilder names, OidCollection purposes,
        DateTimeOffset now, TimeSpan lifetime)
    {
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset end = now + lifetime < Certificate.NotAfter ? now + lifetime : Certificate.NotAfter;
        return request.Create(
            Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now - s_clockSkew, end, Serial());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static byte[] Serial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}
