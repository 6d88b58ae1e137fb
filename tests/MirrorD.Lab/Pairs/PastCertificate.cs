using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MirrorD.Lab.Pairs;

/// <summary>
/// Certificates whose time has passed, signed with the cluster's authority as it lies on a node; made with nothing of the
/// product.
/// </summary>
public static class PastCertificate
{
    private static readonly TimeSpan s_ago = TimeSpan.FromDays(2);

    /// <summary>The node's key stays and its certificate ended two days ago. Its daemon does not run.</summary>
    public static void ForItsOwnKey(Node node)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(NodeFile(node)));
        Write(node, key);
    }

    /// <summary>
    /// The node gets a key that nobody has seen, with a certificate that ended two days ago. Its daemon does not run.
    /// </summary>
    public static void ForANewKey(Node node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write(node, key);
    }

    /// <summary>As <see cref="ForANewKey"/>, for somebody else who says that he is this node.</summary>
    public static X509Certificate2 OfANewKey(Node node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Sign(node, key);
        using X509Certificate2 whole = certificate.CopyWithPrivateKey(key);
        // SslStream wants a key that it can hand on.
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    private static string NodeFile(Node node) => Path.Combine(node.StateDirectory, "identity", "node.pem");

    // The file is there already: its mode stays.
    private static void Write(Node node, ECDsa key)
    {
        using X509Certificate2 certificate = Sign(node, key);
        File.WriteAllText(NodeFile(node), $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }

    // What the present certificate says, under another time.
    private static X509Certificate2 Sign(Node node, ECDsa key)
    {
        string identity = Path.Combine(node.StateDirectory, "identity");
        using X509Certificate2 authority = X509Certificate2.CreateFromPem(
            File.ReadAllText(Path.Combine(identity, "authority.crt")));
        using var authorityKey = ECDsa.Create();
        authorityKey.ImportFromPem(File.ReadAllText(Path.Combine(identity, "authority.key")));
        using X509Certificate2 present = X509Certificate2.CreateFromPem(File.ReadAllText(NodeFile(node)));
        var request = new CertificateRequest(present.SubjectName, key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in present.Extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        DateTimeOffset end = DateTimeOffset.UtcNow - s_ago;
        return request.Create(
            authority.SubjectName, X509SignatureGenerator.CreateForECDsa(authorityKey), end - s_ago, end,
            RandomNumberGenerator.GetBytes(8));
    }
}
