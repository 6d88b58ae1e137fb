using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MirrorD.Configuration.Identity;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Identity;

/// <summary>
/// The certificate that somebody shows who connects. The first byte of the input says whether the rest is what the cluster's
/// authority has signed (0 to 3, with another time and other lists), or a certificate as a whole (4).
/// </summary>
internal sealed class CertificateTarget : FuzzTarget
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly Lazy<X509Certificate2Collection> _authorities =
        new(() => [X509CertificateLoader.LoadCertificate(Certificates.AuthorityDer)]);

    private readonly string _key = Convert.ToHexStringLower(
        SHA256.HashData(Certificates.NodeKey.ExportSubjectPublicKeyInfo()));

    public override string Name => "certificate";

    private readonly string _clientKey = Convert.ToHexStringLower(
        SHA256.HashData(Certificates.ClientKey.ExportSubjectPublicKeyInfo()));

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Configuration/Identity/ClusterTrust.cs", "src/MirrorD.Configuration/Identity/ClusterTrust.Clients.cs",
        "src/MirrorD.Configuration/Identity/NodeCertificate.cs", "src/MirrorD.Configuration/Identity/ClientCertificate.cs",
        "src/MirrorD.Configuration/Identity/CertificateParts.cs",
    ];

    public override IReadOnlyList<byte[]> Words =>
    [
        "node"u8.ToArray(), "urn:uuid:"u8.ToArray(), "client"u8.ToArray(), "urn:mirrord:client:"u8.ToArray(),
        [0x55, 4, 3], [0x55, 4, 11], [0x55, 0x1d, 17], [0x30, 0x80], [0x86, 0],
        [0x0c, 0], [0x1e, 2, 0xd8, 0], [0x31, 0], [0x02, 0], "20500101000000Z"u8.ToArray(),
    ];

    public override int MostBytes => 1500;

    // What is loaded has its own lists of names and extensions.
    public override long MostAllocatedBytes(int inputBytes) => 1024 * 1024 + 256L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        for (byte list = 0; list < 4; list++)
        {
            yield return [list, .. Certificates.NodeBody];
            yield return [list, .. Certificates.ClientBody];
        }

        yield return [0, .. Replaced("urn:uuid:", "urn:uuix:")];
        yield return [0, .. Replaced("node", "mode")];
        yield return [0, .. Replaced("urn:uuid:0", "urn:uuid:x")];
        yield return [0, .. Replaced("\u0086-urn", "\u0086\u007furn")];
        yield return [0, .. Certificates.AuthorityBody];
        yield return [4, .. Certificates.Wrapped(Certificates.NodeBody, Bytes.Counting(70))];
        yield return [4, .. Encoding.ASCII.GetBytes(Certificates.Pem(Certificates.AuthorityDer))];
        yield return [4];
    }

    public override void Run(byte[] input)
    {
        int kind = input.Length == 0 ? 4 : input[0];
        byte[] rest = input.Length == 0 ? [] : input[1..];
        byte[] der = kind < 4 ? Certificates.Signed(rest) : rest;
        DateTimeOffset now = kind < 2 ? Certificates.Now : Certificates.Now.AddYears(20);
        HashSet<string> revoked = kind == 1 ? [Hash, _key, _clientKey] : [Hash];
        var known = new Dictionary<string, string> { ["b"] = Hash };
        if (kind == 2)
        {
            known["a"] = _key;
        }

        var trust = new ClusterTrust(_authorities.Value, revoked, known);
        TrustVerdict verdict = trust.Judge(der, kind == 3 ? "b" : "a", now);
        BrokenProperty.Unless(verdict.Distrust == Distrust.None == (verdict.Problem.Length == 0), "trust, or what is wrong");
        BrokenProperty.Unless(verdict.Certificate is null == (verdict.Distrust == Distrust.UnknownAuthority),
            "what it says, unless it says nothing");
        BrokenProperty.Unless(trust.RevokedKeys.All(trust.IsRevoked) && trust.Authorities.Count == 1, "it says what it was given");
        TrustVerdict ofAny = trust.Judge(der, null, now);
        BrokenProperty.Unless(ofAny.Distrust is not Distrust.SomebodyElse, "any node is no node in particular");
        if (verdict.Certificate is { } says)
        {
            BrokenProperty.Unless(kind < 4 || der.AsSpan().SequenceEqual(Certificates.NodeDer),
                "nobody is trusted whom the authority has not signed");
            BrokenProperty.Unless(says.Name.Length > 0 && says.KeyHash.Length == 64, "it has a name and a key");
            BrokenProperty.Unless(verdict.Distrust != Distrust.None || (says.Name == "a" && !revoked.Contains(says.KeyHash)),
                "who is let in is who is meant, with a key that counts");
            BrokenProperty.Unless(
                verdict.Distrust != Distrust.None || trust.Knows(says) || (now >= says.NotBefore && now <= says.NotAfter),
                "somebody new is let in at his time only");
            BrokenProperty.Unless(Encoding.ASCII.GetString(der).Contains(says.Id.ToString("D"),
                StringComparison.OrdinalIgnoreCase), "its id stands in it");
        }

        Clients(trust, der, kind, kind == 2 ? now : Certificates.Now, isNode: verdict.Certificate is not null);
        Read(der);
    }

    private static void Clients(ClusterTrust trust, byte[] der, int kind, DateTimeOffset now, bool isNode)
    {
        ClientVerdict verdict = trust.JudgeClient(der, new HashSet<string> { kind == 3 ? "other" : "vm1" }, now);
        BrokenProperty.Unless(
            verdict.Distrust == Distrust.None == (verdict.Problem.Length == 0), "trust in a client, or what is wrong");
        BrokenProperty.Unless(
            verdict.Distrust is not (Distrust.None or Distrust.Revoked or Distrust.Expired) || verdict.Certificate is not null,
            "a client says who it is");
        if (verdict.Certificate is { } says)
        {
            BrokenProperty.Unless(!isNode, "nobody is a node and a client");
            BrokenProperty.Unless(kind < 4 || der.AsSpan().SequenceEqual(Certificates.ClientDer),
                "no client is trusted whom the authority has not signed");
            BrokenProperty.Unless(ClientCertificate.IsName(says.Name) && says.KeyHash.Length == 64, "a client has a name and a key");
            BrokenProperty.Unless(
                verdict.Distrust != Distrust.None || (says.Name == "vm1" && kind != 3 && !trust.IsRevoked(says.KeyHash)
                    && now >= says.NotBefore && now <= says.NotAfter),
                "a client is let in who is allowed, at its time, with a key that counts");
        }
    }

    private static void Read(byte[] der)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException)
        {
            return;
        }

        using (certificate)
        {
            _ = NodeCertificate.Read(certificate);
            _ = ClientCertificate.Read(certificate);
        }
    }

    private static byte[] Replaced(string old, string with)
    {
        byte[] body = (byte[])Certificates.NodeBody.Clone();
        Encoding.Latin1.GetBytes(with).CopyTo(body, body.AsSpan().IndexOf(Encoding.Latin1.GetBytes(old)));
        return body;
    }
}
