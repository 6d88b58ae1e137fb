using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;

namespace MirrorD.Fuzz.Targets.Identity;

/// <summary>
/// An authority and a node whose keys are always the same, so that what is to be signed is the same in each process; keys
/// that anybody can compute are no secret.
/// </summary>
internal static class Certificates
{
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";

    private static readonly DateTimeOffset s_from = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A time at which all are valid.</summary>
    public static DateTimeOffset Now => s_from.AddDays(30);

    public static ECDsa AuthorityKey { get; } = Key(1);

    public static ECDsa NodeKey { get; } = Key(2);

    /// <summary>What the authority's certificate says, unsigned.</summary>
    public static byte[] AuthorityBody { get; } = BodyOf(Authority());

    /// <summary>The authority's certificate.</summary>
    public static byte[] AuthorityDer { get; } = Signed(AuthorityBody);

    /// <summary>What the node's certificate says, unsigned.</summary>
    public static byte[] NodeBody { get; } = Node();

    /// <summary>The node's certificate.</summary>
    public static byte[] NodeDer { get; } = Signed(NodeBody);

    public static ECDsa ClientKey { get; } = Key(3);

    /// <summary>What the certificate of a client of the exports says, unsigned.</summary>
    public static byte[] ClientBody { get; } = Client();

    /// <summary>A client's certificate.</summary>
    public static byte[] ClientDer { get; } = Signed(ClientBody);

    /// <summary>A certificate with this body, which need not be one, signed by the authority.</summary>
    public static byte[] Signed(ReadOnlySpan<byte> body) =>
        Wrapped(body, AuthorityKey.SignData(body, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <summary>A certificate with this body and signature.</summary>
    public static byte[] Wrapped(ReadOnlySpan<byte> body, ReadOnlySpan<byte> signature)
    {
        var algorithm = new AsnWriter(AsnEncodingRules.DER);
        using (algorithm.PushSequence())
        {
            algorithm.WriteObjectIdentifier(EcdsaWithSha256);
        }

        var bits = new AsnWriter(AsnEncodingRules.DER);
        bits.WriteBitString(signature);
        byte[] content = [.. body, .. algorithm.Encode(), .. bits.Encode()];
        return [0x30, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content];
    }

    public static string Pem(byte[] der) => PemEncoding.WriteString("CERTIFICATE", der) + "\n";

    public static string Pem(ECDsa key) => key.ExportPkcs8PrivateKeyPem() + "\n";

    private static ECDsa Key(byte first) => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        D = [first, .. Bytes.Counting(31)],
    });

    private static byte[] BodyOf(byte[] certificate) =>
        new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();

    private static byte[] Authority()
    {
        var request = new CertificateRequest("CN=MirrorD cluster fuzz", AuthorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using X509Certificate2 made = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(AuthorityKey), s_from, s_from.AddYears(30), [1]);
        return made.RawData;
    }

    private static byte[] Node() => Made(authority => authority.Issue(
        new PublicKey(NodeKey), "a", new Guid(1, 2, 3, new byte[8]), s_from, ClusterAuthority.NodeLifetime));

    private static byte[] Client() => Made(authority => authority.IssueClient(
        new PublicKey(ClientKey), "vm1", s_from, ClusterAuthority.NodeLifetime));

    // As the product makes them, but for the serial number, which is drawn there.
    private static byte[] Made(Func<ClusterAuthority, X509Certificate2> issue)
    {
        using var authority = ClusterAuthority.FromPem(Pem(AuthorityDer), Pem(AuthorityKey));
        using X509Certificate2 made = issue(authority);
        byte[] body = BodyOf(made.RawData);
        int serial = body.AsSpan().IndexOf((byte[])[2, 16]) + 2;
        Bytes.Counting(16).CopyTo(body, serial);
        return body;
    }
}
