using System.Text;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Identity;

/// <summary>
/// The files by which a node shows who it is. The first byte of the input chooses the file that the rest stands in; the
/// others are as they should be.
/// </summary>
internal sealed class IdentityFilesTarget : FuzzTarget
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string s_authority = Certificates.Pem(Certificates.AuthorityDer);
    private static readonly string s_authorityKey = Certificates.Pem(Certificates.AuthorityKey);
    private static readonly string s_node = Certificates.Pem(Certificates.NodeDer);
    private static readonly string s_nodeKey = Certificates.Pem(Certificates.NodeKey);

    private readonly ScratchDirectory _scratch = new("identity-files");

    public override string Name => "identity-files";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Configuration/Identity/EcKeys.cs", "src/MirrorD.Configuration/Identity/IdentityDirectory.cs",
        "src/MirrorD.Configuration/Identity/NodeIdentity.cs",
    ];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----", Hash, " a ",
        "a " + Hash, "\n", "=", "MIIB", "\u00a0",
    }.Select(Encoding.UTF8.GetBytes)];

    public override long MostAllocatedBytes(int inputBytes) => 1024 * 1024 + 256L * inputBytes;

    // Certificates have signatures that are new in each process: in inputs they have one that is none.
    public override IEnumerable<byte[]> Seeds()
    {
        string node = Certificates.Pem(Certificates.Wrapped(Certificates.NodeBody, Bytes.Counting(70)));
        string publicKey = Certificates.NodeKey.ExportSubjectPublicKeyInfoPem() + "\n";
        return new[]
        {
            "0" + node + s_nodeKey, "0" + s_nodeKey + node, "0" + node + s_authorityKey, "0" + node, "0" + s_nodeKey,
            "0" + node + publicKey, "0" + node + Certificates.NodeKey.ExportECPrivateKeyPem(), "1" + node, "1" + node + node,
            "1", "1" + s_authorityKey, "2" + s_authorityKey, "2" + s_nodeKey, "2" + publicKey, "2",
            "3" + Hash + " a 2026-01-01T00:00:00Z\n", "3\n" + Hash + "\n", "3x\n",
            "4a " + Hash + "\n", "4a b\nb " + Hash + "\n",
        }.SelectMany(each => new[] { each, each.PadRight((each.Length + 31) / 32 * 32, '\n') })
            .Select(Encoding.UTF8.GetBytes);
    }

    public override void Run(byte[] input)
    {
        var identity = new IdentityDirectory(Path.Combine(_scratch.Path, "identity"));
        Write(identity.NodeFile, s_node + s_nodeKey);
        Write(identity.AuthorityFile, s_authority);
        Write(identity.AuthorityKeyFile, s_authorityKey);
        File.Delete(identity.RevokedFile);
        File.Delete(identity.KnownFile);
        string[] files =
        [
            identity.NodeFile, identity.AuthorityFile, identity.AuthorityKeyFile, identity.RevokedFile, identity.KnownFile,
        ];
        int which = input.Length == 0 ? 0 : (input[0] - '0' + 250) % 5;
        File.WriteAllBytes(files[which], input.Length == 0 ? [] : input[1..]);
        bool isDamaged = Told(() => CheckNode(identity.LoadNode()));
        isDamaged |= Told(() => identity.LoadAuthority().Dispose());
        isDamaged |= Told(() => CheckTrust(identity.LoadTrust()));
        BrokenProperty.Unless(which != 4 || !isDamaged, "lines of known keys that are damaged do no harm");

        // Writing waits for the disk: not each time.
        if (input.Length % 32 == 0)
        {
            Change(identity);
        }
    }

    private static void CheckNode(NodeIdentity node)
    {
        BrokenProperty.Unless(node.KeyDer.Length > 0 && node.CertificateDer.Length > 0, "a node has its key and certificate");
        BrokenProperty.Unless(NodeIdentity.FromPem(node.Pem).Says == node.Says, "what is written is read again");
        using var certificate = node.ToCertificate();
        BrokenProperty.Unless(certificate.HasPrivateKey, "TLS has the key, too");
    }

    private static void CheckTrust(ClusterTrust trust)
    {
        BrokenProperty.Unless(trust.Authorities.Count > 0, "somebody is trusted");
        _ = trust.Judge(Certificates.NodeDer, "a", Certificates.Now);
    }

    private static void Change(IdentityDirectory identity)
    {
        _ = Told(() =>
        {
            identity.Revoke(Hash, "b", Certificates.Now);
            string once = File.ReadAllText(identity.RevokedFile);
            identity.Revoke(Hash, "b", Certificates.Now);
            BrokenProperty.Unless(File.ReadAllText(identity.RevokedFile) == once, "a key is taken back once");
            Write(identity.AuthorityFile, s_authority);
            BrokenProperty.Unless(identity.LoadTrust().IsRevoked(Hash), "and it is taken back");
        });
        identity.Remember("b", Hash);
        identity.Remember("b", Hash);
        BrokenProperty.Unless(
            Told(() => identity.Revoke("no hash", "b", Certificates.Now)) && Told(() => identity.Remember("b", "no hash")),
            "what is no hash is told");
        BrokenProperty.Unless(
            identity.NoteFormer(Hash).SequenceEqual([Hash]) && identity.NoteFormer(Hash).SequenceEqual([Hash]),
            "a former key is noted once");
        identity.ForgetFormers();
        Write(identity.KnownFile, "");
        File.SetUnixFileMode(identity.KnownFile, OwnerOnly | UnixFileMode.OtherWrite);
        BrokenProperty.Unless(Told(() => identity.LoadTrust()), "what others can write is not trusted");
        File.Delete(identity.KnownFile);
        identity.Remember("b", Hash);
        Write(identity.RevokedFile, "");
        Write(identity.AuthorityFile, s_authority);
        BrokenProperty.Unless(identity.LoadTrust().KnownKey("b") == Hash, "who is remembered is known");
        identity.SaveAuthority(s_authority, s_authorityKey);
        BrokenProperty.Unless(File.Exists(identity.AuthorityFile), "there is an authority");
        using (ClusterAuthority authority = identity.LoadAuthority())
        {
            identity.SaveNode(NodeIdentity.Create(authority, "a", Guid.Empty, Certificates.Now, ClusterAuthority.NodeLifetime));
        }

        CheckNode(identity.LoadNode());
        File.SetUnixFileMode(identity.NodeFile, OwnerOnly | UnixFileMode.GroupRead);
        BrokenProperty.Unless(Told(() => identity.LoadNode()), "a key that others can read is none");
        var nowhere = new IdentityDirectory(Path.Combine(identity.NodeFile, "below"));
        BrokenProperty.Unless(
            Told(() => nowhere.LoadNode()) && Told(() => nowhere.LoadAuthority()) && Told(() => nowhere.LoadTrust())
                && Told(() => nowhere.SaveAuthority(s_authority, s_authorityKey)),
            "what is not there is told");
        File.Delete(identity.NodeFile);
        File.Delete(identity.AuthorityFile);
        Directory.CreateDirectory(identity.AuthorityFile);
        BrokenProperty.Unless(Told(() => identity.LoadNode()) && Told(() => identity.LoadTrust()), "what is missing is told");
        Directory.Delete(identity.AuthorityFile);
    }

    private static bool Told(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (NodeStateException)
        {
            // Documented: the file is missing, damaged or open to others.
            return true;
        }
    }

    private static void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, OwnerOnly);
    }
}
