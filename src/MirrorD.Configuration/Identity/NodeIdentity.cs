using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Configuration.Identity;

/// <summary>This node's certificate and its private key; one file holds both, so that they change together.</summary>
public sealed class NodeIdentity
{
    private NodeIdentity(X509Certificate2 certificate, ECDsa key, NodeCertificate says)
    {
        CertificateDer = certificate.RawData;
        KeyDer = key.ExportECPrivateKey();
        Says = says;
        Pem = $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    /// <summary>The certificate, DER.</summary>
    public byte[] CertificateDer { get; }

    /// <summary>The private key, DER as in RFC 5915.</summary>
    public byte[] KeyDer { get; }

    /// <summary>What the certificate says.</summary>
    public NodeCertificate Says { get; }

    /// <summary>Both, as they stand in the file.</summary>
    public string Pem { get; }

    /// <summary>Makes a key, and has it signed.</summary>
    public static NodeIdentity Create(ClusterAuthority authority, string name, Guid id, DateTimeOffset now, TimeSpan lifetime)
    {
        using ECDsa key = EcKeys.Create();
        using X509Certificate2 certificate = authority.Issue(new PublicKey(key), name, id, now, lifetime);
        return Of(certificate, key);
    }

    /// <summary>A key with the certificate that somebody has signed for it.</summary>
    /// <exception cref="CryptographicException">They don't belong together, or it is not a node's certificate.</exception>
    public static NodeIdentity Of(X509Certificate2 certificate, ECDsa key)
    {
        if (!EcKeys.IsOf(key, certificate))
        {
            throw new CryptographicException("the key is not that of the certificate");
        }

        return new NodeIdentity(
            certificate, key,
            NodeCertificate.Read(certificate) ?? throw new CryptographicException("the certificate is not that of a node"));
    }

    /// <summary>Reads both.</summary>
    /// <exception cref="CryptographicException">They are not there, or don't belong together.</exception>
    public static NodeIdentity FromPem(string pem)
    {
        using ECDsa key = EcKeys.Private(pem);
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem);
        return Of(certificate, key);
    }

    /// <summary>For .NET's own TLS.</summary>
    public X509Certificate2 ToCertificate() => X509Certificate2.CreateFromPem(Pem, Pem);
}
