using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;

namespace MirrorD.Daemon.Tests.Security;

/// <summary>Certificates of clients of the exports, and of nodes: one is never taken for the other.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UtcNow;
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(100);
    private static readonly HashSet<string> s_allowed = ["backup", "a"];

    private readonly ClusterAuthority _authority = ClusterAuthority.Create(s_now);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        _authority.Dispose();
        _key.Dispose();
    }

    [Fact]
    public void A_client_is_let_in_by_its_name_and_is_no_node()
    {
        using X509Certificate2 client = Client("backup");
        ClientVerdict verdict = Trust().JudgeClient(client.RawData, s_allowed, s_now);
        Assert.Equal((Distrust.None, "backup", ""), (verdict.Distrust, verdict.Certificate!.Name, verdict.Problem));
        TrustVerdict asNode = Trust().Judge(client.RawData, null, s_now);
        Assert.Equal((Distrust.UnknownAuthority, null), (asNode.Distrust, asNode.Certificate));
        Assert.Contains("is that of no node", asNode.Problem);
    }

    [Fact]
    public void A_client_with_the_name_of_a_node_is_none_and_a_node_with_an_allowed_name_is_no_client()
    {
        using X509Certificate2 client = Client("a");
        Assert.Equal(Distrust.UnknownAuthority, Trust().Judge(client.RawData, "a", s_now).Distrust);
        using X509Certificate2 node = _authority.Issue(new PublicKey(_key), "a", Guid.NewGuid(), s_now, s_lifetime);
        Assert.Equal(Distrust.None, Trust().Judge(node.RawData, "a", s_now).Distrust);
        ClientVerdict verdict = Trust().JudgeClient(node.RawData, s_allowed, s_now);
        Assert.Equal(Distrust.SomebodyElse, verdict.Distrust);
        Assert.Contains("not that of a client, but of a node", verdict.Problem);
    }

    [Fact]
    public void A_client_can_not_pass_for_a_server()
    {
        using X509Certificate2 client = Client("a");
        Assert.False(client.MatchesHostname("a"));
        Assert.False(client.MatchesHostname(NodeCertificate.CommonHostName));
        X509EnhancedKeyUsageExtension usage = client.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single();
        Assert.Equal("1.3.6.1.5.5.7.3.2", Assert.Single(usage.EnhancedKeyUsages.Cast<Oid>()).Value);
    }

    [Fact]
    public void Whoever_may_not_is_refused_with_the_cause()
    {
        using X509Certificate2 client = Client("backup");
        using ClusterAuthority other = ClusterAuthority.Create(s_now);
        using X509Certificate2 foreign = other.IssueClient(new PublicKey(_key), "backup", s_now, s_lifetime);
        using X509Certificate2 unknown = Client("mallory");
        string hash = NodeCertificate.HashOf(client);
        DateTimeOffset late = s_now + s_lifetime + TimeSpan.FromMinutes(1);
        Refused(Trust(), foreign.RawData, s_now, Distrust.UnknownAuthority, "the client's certificate is not from");
        Refused(Trust(), _authority.Certificate.RawData, s_now, Distrust.UnknownAuthority, "the client's certificate is not from");
        Refused(Trust(), [1, 2, 3], s_now, Distrust.UnknownAuthority, "the client's certificate is damaged");
        Refused(Trust(), unknown.RawData, s_now, Distrust.SomebodyElse, "client mallory is not allowed");
        Refused(Trust(hash), client.RawData, s_now, Distrust.Revoked, "client backup has a key that was taken back");
        Refused(Trust(), client.RawData, late, Distrust.Expired, "the certificate of client backup is valid from");
        Refused(Trust(), client.RawData, s_now - TimeSpan.FromDays(2), Distrust.Expired, "the certificate of client backup is");
    }

    [Theory]
    [InlineData("backup", true)]
    [InlineData("9.a-b_c", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("é", false)]
    public void Names_are_plain(string name, bool isGood) => Assert.Equal(isGood, ClientCertificate.IsName(name));

    [Fact]
    public void The_longest_name_fits_a_certificate()
    {
        string longest = new('x', 56);
        Assert.True(ClientCertificate.IsName(longest));
        Assert.False(ClientCertificate.IsName(longest + "x"));
        using X509Certificate2 client = Client(longest);
        Assert.Equal(longest, ClientCertificate.Read(client)!.Name);
    }

    private static void Refused(ClusterTrust trust, byte[] der, DateTimeOffset now, Distrust distrust, string problem)
    {
        ClientVerdict verdict = trust.JudgeClient(der, s_allowed, now);
        Assert.Equal(distrust, verdict.Distrust);
        Assert.StartsWith(problem, verdict.Problem);
    }

    private X509Certificate2 Client(string name) => _authority.IssueClient(new PublicKey(_key), name, s_now, s_lifetime);

    private ClusterTrust Trust(params string[] revoked) =>
        new([_authority.Certificate], revoked.ToHashSet(), new Dictionary<string, string>());
}
