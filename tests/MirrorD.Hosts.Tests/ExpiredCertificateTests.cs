using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;
using MirrorD.Lab.Witness;

namespace MirrorD.Hosts.Tests;

/// <summary>Certificates whose time has passed, on links and calls of real daemons.</summary>
public sealed class ExpiredCertificateTests : PairTest
{
    private const int LinkPort = 7780;
    private const int CallPort = 7779;
    private const string Cause = "the other side's certificate is valid from";

    private static readonly PairOptions s_options = new() { OnPeerLoss = "continue", DiskBytes = 64L << 20 };

    [HostFact]
    public void Nodes_that_know_each_others_keys_join_again_after_a_cut_though_both_certificates_have_expired()
    {
        Pair pair = StartPair(s_options);
        pair.B.Daemon.Terminate();
        pair.A.Daemon.Terminate();
        foreach (Node node in (Node[])[pair.A, pair.B])
        {
            PastCertificate.ForItsOwnKey(node);
            string file = Path.Combine(node.StateDirectory, "identity", "node.pem");
            Assert.Equal(1, Tool.Run("openssl", "x509", "-in", file, "-noout", "-checkend", "0").ExitCode);
        }

        pair.StartJoinedWithPrimaryA();
        string? session = pair.A.Status().Session;
        pair.A.Control("status", "--node", "b").Require();
        Lab.Link.CutSilently();
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        pair.B.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        Write(pair.A, 'x');
        Lab.Link.Mend();
        pair.WaitUntilJoined(60);
        Assert.NotEqual(session, pair.A.Status().Session);
        Assert.True(pair.A.Status().IsPrimary);
        WaitUntilIdentical(pair);
        foreach (Node node in (Node[])[pair.A, pair.B])
        {
            Assert.Contains("certificate-expires", node.EventKinds());
            Assert.DoesNotContain(Cause, node.Daemon.Output, StringComparison.Ordinal);
        }
    }

    [HostFact]
    public void A_node_whose_expired_certificate_has_a_key_that_nobody_knows_is_refused_and_comes_back_with_its_former_one()
    {
        Pair pair = StartPair(s_options);
        string identity = Path.Combine(pair.B.StateDirectory, "identity");
        string former = Path.Combine(Lab.Directory, "former");
        pair.B.Daemon.Terminate();
        pair.A.WaitFor("to go on alone", 20, view => view.Link == "Disconnected");
        Write(pair.A, 'x');
        Tool.Run("cp", "-a", identity, former).Require();
        PastCertificate.ForANewKey(pair.B);

        // A start of a daemon stores something of its own: it is over before the link is there.
        Lab.Link.CutSilently();
        pair.B.StartAndWait();
        Wait.For(
            "heartbeats over the other network", 30,
            () => pair.A.Paths().Values.Contains("Up") && pair.B.Paths().Values.Contains("Up"), () => Lab.Logs());
        string[] before = [StoredState.Of(pair.A), StoredState.Of(pair.B)];
        Lab.Link.Mend();
        pair.A.Daemon.WaitForOutput(Cause, 30);
        pair.B.Daemon.WaitForOutput("says that this node's certificate has expired", 30);
        string log = pair.A.Daemon.LogPath;
        Wait.While("the pair is not joined", 5, () => !pair.A.Status().IsJoined && pair.B.Status().Link != "Joined");
        ToolResult call = pair.B.Control("status", "--node", "a");
        Assert.False(call.Succeeded, call.Text);
        Assert.Single(File.ReadLines(log), line => IsToldOfLink(line));
        Assert.Empty(StoredState.Changes(pair.A, before[0]));
        Assert.Empty(StoredState.Changes(pair.B, before[1]));
        Write(pair.A, 'y');

        pair.B.Daemon.Terminate();
        Directory.Delete(identity, recursive: true);
        Directory.Move(former, identity);
        pair.B.StartAndWait();
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_stranger_with_such_a_certificate_is_refused_on_each_port_told_once_and_the_mirror_goes_on()
    {
        Pair pair = StartPair(s_options);
        Write(pair.A, 'x');
        using X509Certificate2 ofA = PastCertificate.OfANewKey(pair.A);
        using X509Certificate2 ofB = PastCertificate.OfANewKey(pair.B);
        string? session = pair.A.Status().Session;
        WaitUntilIdentical(pair);
        string[] before = [StoredState.Of(pair.A), StoredState.Of(pair.B)];

        // a listens for calls only: it is the one that connects.
        for (int round = 0; round < 5; round++)
        {
            RequireRefused(Lab.A, ofA, pair.B.Host.DedicatedAddress!, LinkPort);
            RequireRefused(Lab.A, ofA, pair.B.Host.DedicatedAddress!, CallPort);
            RequireRefused(Lab.Client, ofA, pair.B.Host.ProductionAddress, CallPort);
            RequireRefused(Lab.Client, ofB, pair.A.Host.ProductionAddress, CallPort);
        }

        Wait.For("the refusals to be told", 10, () => Told(pair.B) >= 2 && Told(pair.A) >= 1);
        Assert.Equal((1, 2), (Told(pair.A), Told(pair.B)));
        Assert.Single(pair.B.Daemon.Output.Split('\n'), IsToldOfLink);
        Assert.Empty(StoredState.Changes(pair.A, before[0]));
        Assert.Empty(StoredState.Changes(pair.B, before[1]));
        Assert.Equal((session, true), (pair.A.Status().Session, pair.A.Status().IsJoined));
        Write(pair.A, 'y');
        WaitUntilIdentical(pair);
    }

    private static bool IsToldOfLink(string line) =>
        line.Contains("link attempt refused", StringComparison.Ordinal) && line.Contains(Cause, StringComparison.Ordinal);

    private static int Told(Node node) =>
        node.Daemon.Output.Split('\n').Count(line => line.Contains(Cause, StringComparison.Ordinal));

    private static void RequireRefused(Host from, X509Certificate2 certificate, string address, int port) =>
        HostThread.Run(from, () => Refused(certificate, address, port));

    private static void Refused(X509Certificate2 certificate, string address, int port)
    {
        using var client = new TcpClient(address, port);
        using var tls = new SslStream(client.GetStream());
        tls.ReadTimeout = 20_000;
        Exception? refused = Record.Exception(() =>
        {
            tls.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = "b",
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificates = [certificate],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            });

            // In TLS 1.3 a client has ended its handshake before its certificate was looked at.
            if (tls.Read(new byte[1]) == 0)
            {
                throw new IOException("closed");
            }
        });
        Assert.NotNull(refused);
        Assert.Contains("expired", refused.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    private static void Write(Node node, char stamp)
    {
        using NbdConnection client = NbdConnection.Connect(node.Export());
        byte[] block = new byte[64 << 10];
        block.AsSpan().Fill((byte)stamp);
        client.Write(0, block);
        client.Flush();
    }
}
