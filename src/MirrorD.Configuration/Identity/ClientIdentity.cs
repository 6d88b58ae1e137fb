using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Configuration.Identity;

/// <summary>Makes keys of clients of the NBD exports, as files under the names that qemu and libnbd look for.</summary>
public static class ClientIdentity
{
    /// <summary>Certificate of the authority.</summary>
    public const string AuthorityFile = "ca-cert.pem";

    /// <summary>The client's certificate.</summary>
    public const string CertificateFile = "client-cert.pem";

    /// <summary>Its private key.</summary>
    public const string KeyFile = "client-key.pem";

    /// <summary>Makes a key, has it signed, and writes all three files.</summary>
    /// <param name="state">State of this node, which has the key of the authority.</param>
    /// <param name="directory">Where to write; it is made when it is not there.</param>
    /// <param name="name">Name of the client: <see cref="ClientCertificate.IsName"/>.</param>
    /// <param name="now">The time.</param>
    /// <returns>What the certificate says.</returns>
    /// <exception cref="NodeStateException">Something is missing, is there already, or can't be written.</exception>
    public static ClientCertificate Issue(StateDirectory state, string directory, string name, DateTimeOffset now)
    {
        string[] paths = [.. new[] { AuthorityFile, CertificateFile, KeyFile }.Select(file => Path.Combine(directory, file))];
        if (paths.FirstOrDefault(File.Exists) is { } there)
        {
            throw new NodeStateException($"{there} is there already", "name another directory, or move those files away");
        }

        using ClusterAuthority authority = state.Identity.LoadAuthority();
        using ECDsa key = EcKeys.Create();
        using X509Certificate2 certificate = authority.IssueClient(
            new PublicKey(key), name, now, ClusterAuthority.NodeLifetime);
        PrivateFile.Guarded(directory, () => Directory.CreateDirectory(directory, PrivateFile.DirectoryMode));

        // The key comes last: without it the others are of no use, and can be removed.
        PrivateFile.Write(paths[0], authority.Certificate.ExportCertificatePem() + "\n");
        PrivateFile.Write(paths[1], certificate.ExportCertificatePem() + "\n");
        PrivateFile.Write(paths[2], key.ExportPkcs8PrivateKeyPem() + "\n");
        return ClientCertificate.Read(certificate)!;
    }
}
