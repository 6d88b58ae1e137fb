using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Security;

namespace MirrorD.Daemon.Tests.Security;

/// <summary>Two nodes whose keys are exchanged step by step, with an end after any step.</summary>
public sealed class NodeKeysTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public NodeKeysTests()
    {
        ClusterMembership.Found(StateOf("a"), "a", DateTimeOffset.UtcNow);
        ClusterMembership.Issue(StateOf("a"), StateOf("b"), "b", DateTimeOffset.UtcNow);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void After_every_step_and_restart_each_node_accepts_what_the_other_one_sends_with()
    {
        // The steps in the order of KeyRotation, cut off after each, then led to the end from either node.
        for (int cut = 0; cut <= 6; cut++)
        {
            foreach (string leader in (string[])["a", "b"])
            {
                byte[] fresh = RandomNumberGenerator.GetBytes(ClusterKeys.LengthBytes);
                int done = 0;
                Lead("a", fresh, () => done++ < cut);
                Lead(leader, Load(leader).Datagrams.Sending, () => true);
                Lead(leader, RandomNumberGenerator.GetBytes(ClusterKeys.LengthBytes), () => true);
                Assert.Equal(Load("a").Datagrams.Sending, Load("b").Datagrams.Sending);
                Assert.Null(Load("a").Datagrams.Accepted);
                Assert.Null(Load("b").Datagrams.Accepted);
            }
        }
    }

    [Fact]
    public void A_third_key_is_refused_and_changes_nothing()
    {
        NodeKeys keys = Load("a");
        byte[][] fresh = [.. Enumerable.Range(0, 2).Select(_ => RandomNumberGenerator.GetBytes(ClusterKeys.LengthBytes))];
        byte[] first = keys.Datagrams.Sending;
        Assert.False(keys.Use(fresh[0]));
        Assert.False(keys.Settle(fresh[0]));
        Assert.True(keys.Accept(fresh[0]));
        Assert.False(keys.Accept(fresh[1]));
        Assert.True(keys.Accept(first));
        Assert.Equal(first, Load("a").Datagrams.Sending);
        Assert.Equal(fresh[0], Load("a").Datagrams.Accepted);
    }

    [Fact]
    public void A_renewed_certificate_is_trusted_and_the_former_key_is_refused_once_it_is_exchanged()
    {
        NodeKeys a = Load("a");
        NodeKeys b = Load("b");
        byte[] former = a.Security.Identity.CertificateDer;
        (IReadOnlyList<string> formers, string now) = a.Security.Renew(DateTimeOffset.UtcNow);
        string before = Assert.Single(formers);
        Assert.NotEqual(before, now);
        Assert.Equal(Distrust.None, b.Security.Judge(former, "a").Distrust);
        Assert.Equal(Distrust.None, b.Security.Judge(a.Security.Identity.CertificateDer, "a").Distrust);

        b.Security.Exchange("a", before, now, DateTimeOffset.UtcNow);

        Assert.Equal(Distrust.Revoked, b.Security.Judge(former, "a").Distrust);
        Assert.Equal(Distrust.None, b.Security.Judge(a.Security.Identity.CertificateDer, "a").Distrust);
        Assert.Equal(Distrust.Revoked, Load("b").Security.Judge(former, "a").Distrust);
        Assert.Equal(now, Load("a").Security.Identity.Says.KeyHash);
    }

    [Fact]
    public void A_former_key_is_not_forgotten_when_the_exchange_is_interrupted()
    {
        string first = Load("a").Security.Identity.Says.KeyHash;
        (_, string second) = Load("a").Security.Renew(DateTimeOffset.UtcNow);
        (IReadOnlyList<string> formers, string third) = Load("a").Security.Renew(DateTimeOffset.UtcNow);
        Assert.Equal([first, second], formers);
        NodeKeys b = Load("b");
        foreach (string former in formers)
        {
            b.Security.Exchange("a", former, third, DateTimeOffset.UtcNow);
        }

        Load("a").Security.ForgetFormers();
        Assert.True(b.Security.Trust.IsRevoked(first) && b.Security.Trust.IsRevoked(second));
        Assert.Equal([third], Load("a").Security.Renew(DateTimeOffset.UtcNow).Formers);
    }

    [Fact]
    public async Task Keys_that_were_taken_back_stay_so_whatever_is_stored_at_the_same_time()
    {
        NodeKeys a = Load("a");
        using ClusterAuthority authority = StateOf("a").Identity.LoadAuthority();
        NodeCertificate[] machines = [.. Enumerable.Range(0, 20).Select(_ => NodeIdentity.Create(
            authority, "b", Guid.NewGuid(), DateTimeOffset.UtcNow, TimeSpan.FromDays(1)).Says)];
        string[] keys = [.. Enumerable.Range(0, 20).Select(i => Convert.ToHexStringLower(SHA256.HashData([(byte)i])))];
        var replacing = Task.Run(() => Array.ForEach(machines, machine => a.Security.Replace(machine, DateTimeOffset.UtcNow)));
        var exchanging = Task.Run(() => Array.ForEach(
            keys, key => a.Security.Exchange("c", key, keys[0], DateTimeOffset.UtcNow)));
        await Within.Deadline(Task.WhenAll(replacing, exchanging), "the end");
        a.Security.Remember(machines[0]);

        Assert.All(keys, key => Assert.True(Load("a").Security.Trust.IsRevoked(key)));
        string last = a.Security.Trust.KnownKey("b")!;
        Assert.False(a.Security.Trust.IsRevoked(last));
        Assert.All(machines, machine => Assert.True(machine.KeyHash == last || a.Security.Trust.IsRevoked(machine.KeyHash)));
    }

    [Fact]
    public void A_list_of_keys_that_somebody_edited_loses_none()
    {
        string[] keys = [.. Enumerable.Range(0, 2).Select(i => Convert.ToHexStringLower(SHA256.HashData([(byte)i])))];
        File.WriteAllText(StateOf("a").Identity.RevokedFile, keys[0] + " b without an end of its line");

        // Whatever the mask of this process is: one that others can write is refused.
        File.SetUnixFileMode(
            StateOf("a").Identity.RevokedFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Load("a").Security.Exchange("b", keys[1], keys[0], DateTimeOffset.UtcNow);
        Assert.All(keys, key => Assert.True(Load("a").Security.Trust.IsRevoked(key)));
    }

    [Fact]
    public void A_new_member_knows_which_keys_were_taken_back()
    {
        string key = Convert.ToHexStringLower(SHA256.HashData([1]));
        Load("a").Security.Exchange("c", key, Convert.ToHexStringLower(SHA256.HashData([2])), DateTimeOffset.UtcNow);
        ClusterMembership.Issue(StateOf("a"), StateOf("c"), "c", DateTimeOffset.UtcNow);
        Assert.True(Load("c").Security.Trust.IsRevoked(key));
    }

    [Fact]
    public void The_authority_is_not_lost_with_the_certificate_of_a_node()
    {
        File.Delete(StateOf("a").Identity.NodeFile);
        string before = File.ReadAllText(StateOf("a").Identity.AuthorityKeyFile);

        var refused = Assert.Throws<NodeStateException>(() =>
            ClusterMembership.Found(StateOf("a"), "a", DateTimeOffset.UtcNow));

        Assert.Contains("may be its only copy", refused.Problem);
        Assert.Contains("cluster join", refused.Remedy);
        Assert.Equal(before, File.ReadAllText(StateOf("a").Identity.AuthorityKeyFile));
    }

    [Fact]
    public void Time_counts_for_keys_that_were_not_seen_before()
    {
        NodeKeys a = Load("a");
        using ClusterAuthority authority = StateOf("a").Identity.LoadAuthority();
        DateTimeOffset past = DateTimeOffset.UtcNow.AddYears(-3);
        var expired = NodeIdentity.Create(authority, "b", Guid.NewGuid(), past, TimeSpan.FromDays(700));
        var future = NodeIdentity.Create(authority, "b", Guid.NewGuid(), DateTimeOffset.UtcNow.AddDays(9), TimeSpan.FromDays(9));

        TrustVerdict verdict = a.Security.Judge(expired.CertificateDer, "b");
        Assert.Equal(Distrust.Expired, verdict.Distrust);
        Assert.Contains("keys renew", verdict.Problem);
        Assert.Equal(Distrust.Expired, a.Security.Judge(future.CertificateDer, "b").Distrust);

        a.Security.Remember(expired.Says);
        Assert.Equal(Distrust.None, a.Security.Judge(expired.CertificateDer, "b").Distrust);
        Assert.Equal(Distrust.Expired, a.Security.Judge(future.CertificateDer, "b").Distrust);
        a.Security.Remember(future.Says);
        Assert.Equal(Distrust.Expired, a.Security.Judge(expired.CertificateDer, "b").Distrust);
    }

    [Fact]
    public void Who_is_not_of_the_cluster_or_somebody_else_is_refused()
    {
        NodeKeys a = Load("a");
        using var other = ClusterAuthority.Create(DateTimeOffset.UtcNow);
        var stranger = NodeIdentity.Create(other, "b", Guid.NewGuid(), DateTimeOffset.UtcNow, TimeSpan.FromDays(9));
        byte[] b = Load("b").Security.Identity.CertificateDer;

        Assert.Equal(Distrust.UnknownAuthority, a.Security.Judge(stranger.CertificateDer, "b").Distrust);
        Assert.Equal(Distrust.UnknownAuthority, a.Security.Judge(other.Certificate.RawData, "b").Distrust);
        Assert.Equal(Distrust.UnknownAuthority, a.Security.Judge(a.Security.Trust.Authorities[0].RawData, "b").Distrust);
        Assert.Equal(Distrust.UnknownAuthority, a.Security.Judge([1, 2, 3], "b").Distrust);
        Assert.Equal(Distrust.SomebodyElse, a.Security.Judge(b, "c").Distrust);
        Assert.Equal(Distrust.None, a.Security.Judge(b, "b").Distrust);
        Assert.Equal(Distrust.None, a.Security.Judge(b, null).Distrust);

        // A member can't sign for others: its certificate is no authority's.
        using var member = ECDsa.Create();
        member.ImportECPrivateKey(Load("b").Security.Identity.KeyDer, out _);
        using var signed = SignedBy(b, member);
        Assert.Equal(Distrust.UnknownAuthority, a.Security.Judge(signed.RawData, "c").Distrust);
    }

    private static X509Certificate2 SignedBy(byte[] issuer, ECDsa key)
    {
        using var signer = X509CertificateLoader.LoadCertificate(issuer);
        var request = new CertificateRequest(
            "CN=c, OU=node", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"urn:uuid:{Guid.NewGuid()}"));
        request.CertificateExtensions.Add(names.Build());
        return request.Create(
            signer.SubjectName, X509SignatureGenerator.CreateForECDsa(key),
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]);
    }

    private StateDirectory StateOf(string node) => new(_directory.At(node));

    private NodeKeys Load(string node) => new(StateOf(node));

    /// <summary>Each step from files alone, as after a restart.</summary>
    private void Lead(string leader, byte[] key, Func<bool> goesOn)
    {
        string[] order = leader == "a" ? ["b", "a"] : ["a", "b"];
        foreach (Func<NodeKeys, bool> step in (Func<NodeKeys, bool>[])[k => k.Accept(key), k => k.Use(key), k => k.Settle(key)])
        {
            foreach (string node in order)
            {
                if (!goesOn())
                {
                    return;
                }

                Assert.True(step(Load(node)));
                Assert.True(Load("a").Datagrams.Accepts(Load("b").Datagrams.Sending));
                Assert.True(Load("b").Datagrams.Accepts(Load("a").Datagrams.Sending));
            }
        }
    }
}
