using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests;

/// <summary>The exports over TCP of real daemons, with the clients that people use.</summary>
/// <param name="output">Gets what the clients say.</param>
public sealed class NbdTlsTests(ITestOutputHelper output) : PairTest
{
    private const int Port = 10809;
    private const string EveryAddress = "nbd-tcp: {address: 0.0.0.0, allow: [backup, vm1]}";

    [HostFact]
    public void Qemu_and_libnbd_write_and_read_over_TLS_wherever_the_service_address_is()
    {
        Pair pair = StartTls($"nbd-tcp: {{address: {MirrorD.Lab.Lab.ServiceAddress}, allow: [backup]}}");
        NbdTlsClient client = ClientOf("backup", MirrorD.Lab.Lab.ServiceAddress);
        Show("nbdinfo", client.Info("--json"));
        string image = Path.Combine(Lab.Directory, "image");
        byte[] bytes = new byte[pair.A.Status().LengthBytes("data")];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(image, bytes);
        Show("nbdcopy to it", client.CopyFrom(image));
        Show("qemu-img compare", client.QemuCompare(image));
        ToolResult io = Show("qemu-io", client.QemuIo("write -P 7 1M 4M", "flush", "read -P 7 1M 4M", "discard 2M 64k"));
        Assert.DoesNotContain("failed", io.Text, StringComparison.Ordinal);
        pair.A.Daemon.WaitForOutput("nbd opened client=backup at ", 10);
        WaitUntilIdentical(pair);

        pair.B.Control("switchover", Pair.ResourceName).Require();
        pair.B.WaitFor("to be Primary", 30, view => view.IsPrimary);
        Wait.For("b to have the service address", 30, () => Lab.B.Holds(MirrorD.Lab.Lab.ServiceAddress));
        string back = Path.Combine(Lab.Directory, "back");
        Show("nbdcopy from the other node", client.CopyTo(back));
        Show("qemu-io there", client.QemuIo("read -P 7 1M 1M"));
        WaitUntilIdentical(pair);
        pair.B.Daemon.WaitForOutput("nbd opened client=backup at ", 10);
    }

    [HostFact]
    public void Whoever_may_not_is_refused_with_the_cause_and_told_nothing()
    {
        Pair pair = StartTls(EveryAddress);
        string a = Lab.A.ProductionAddress;
        NbdTlsClient good = ClientOf("backup", a);
        Show("a client that may", good.Info("--size"));

        ToolResult plain = Lab.Client.Run("nbdinfo", "--list", $"nbd://{a}");
        Refused("without TLS", plain, pair.A, "it asks for exports without TLS");
        Assert.DoesNotContain("mail", plain.Text, StringComparison.Ordinal);

        Refused("name not allowed", ClientOf("mallory", a).Info(), pair.A, "client mallory is not allowed");
        Refused("no certificate", new NbdTlsClient(Lab.Client, a, WithoutCertificate(), "mirrord").QemuIo("read 0 4k"), pair.A,
            "the other side shows no certificate");
        Refused("a node's certificate", new NbdTlsClient(Lab.Client, a, NodesOwn(pair.A), "mirrord").Info(), pair.A,
            "the certificate is not that of a client, but of a node");
        Refused("another authority", new NbdTlsClient(Lab.Client, a, OtherClusters(), "mirrord").Info(), pair.A,
            "the client's certificate is not from this cluster's authority");

        // The other way round: the client finds that somebody else answers.
        Assert.False(
            Show("another server", new NbdTlsClient(Lab.Client, a, good.Keys, "example").Info(), succeeds: false).Succeeded);

        ToolResult standby = Show(
            "standby", new NbdTlsClient(Lab.Client, Lab.B.ProductionAddress, good.Keys, "b").QemuIo("read 0 4k"), succeeds: false);
        Assert.Contains("is Standby on b; the Primary is a", standby.Text, StringComparison.Ordinal);

        HostThread.Run(Lab.Client, () =>
        {
            using RawConnection injected = RawConnection.ToTcp(a, Port);
            injected.Receive(18);
            injected.Send([0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 5, 0, 0, 0, 0, .. "IHAVEOPT"u8, 0, 0, 0, 3, 0, 0, 0, 0]);
            Assert.True(injected.IsClosedWithin(10), "the connection is still open");
        });
        pair.A.Daemon.WaitForOutput("bytes behind STARTTLS that did not wait for its answer", 10);
        Show("the client that may, again", good.Info("--size"));
    }

    [HostFact]
    public void A_key_that_was_taken_back_ends_its_connections_on_both_nodes_and_no_others()
    {
        Pair pair = StartTls(EveryAddress);
        string a = Lab.A.ProductionAddress;
        NbdTlsClient goes = ClientOf("vm1", a);
        NbdTlsClient stays = ClientOf("backup", a);
        KeepOpen("goes", goes);
        KeepOpen("stays", stays);
        pair.A.Daemon.WaitForOutput("nbd opened client=vm1 at ", 20);
        pair.A.Daemon.WaitForOutput("nbd opened client=backup at ", 20);

        string ofA = Path.Combine(pair.A.StateDirectory, "identity", "node.pem");
        Assert.Contains("it is not that of a client", pair.B.Control("keys", "revoke", ofA).Text, StringComparison.Ordinal);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificateFromFile(ofA);
        string hash = Convert.ToHexStringLower(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        Assert.Contains("that is the key of node a", pair.B.Control("keys", "revoke", hash).Text, StringComparison.Ordinal);
        ToolResult done = pair.B.Control("keys", "revoke", Path.Combine(goes.Keys, "client-cert.pem")).Require();
        output.WriteLine(done.Text);
        pair.A.Daemon.WaitForOutput("its key was taken back", 20);
        Assert.Contains("nbd closed client=vm1 at ", pair.A.Daemon.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("nbd closed client=backup at ", pair.A.Daemon.Output, StringComparison.Ordinal);
        Refused("taken back", goes.Info(), pair.A, "client vm1 has a key that was taken back");
        Refused("taken back, at b", new NbdTlsClient(Lab.Client, Lab.B.ProductionAddress, goes.Keys, "b").Info(), pair.B,
            "client vm1 has a key that was taken back");
        Show("the other client", stays.Info("--size"));

        // It holds over a restart.
        pair.B.Daemon.Kill();
        pair.B.StartAndWait();
        pair.WaitUntilJoined(60);
        Refused("after a restart", new NbdTlsClient(Lab.Client, Lab.B.ProductionAddress, goes.Keys, "b").Info(), pair.B,
            "client vm1 has a key that was taken back");
    }

    [HostFact]
    public void A_clients_certificate_is_no_nodes_on_the_link_and_on_the_call_port()
    {
        Pair pair = StartTls(EveryAddress);
        string keys = KeysOf("backup");
        using var certificate = X509Certificate2.CreateFromPemFile(
            Path.Combine(keys, "client-cert.pem"), Path.Combine(keys, "client-key.pem"));
        Knock(certificate, Lab.A, Lab.B.DedicatedAddress!, 7780, null);
        pair.B.Daemon.WaitForOutput("the other side's certificate is that of no node", 10);
        Knock(certificate, Lab.Client, Lab.A.ProductionAddress, 7779, "mirrord-call/1");
        pair.A.Daemon.WaitForOutput("the other side's certificate is that of no node", 10);
        Assert.True(pair.A.Status().IsJoined);
    }

    private static void Knock(X509Certificate2 certificate, Host from, string address, int port, string? protocol) =>
        HostThread.Run(from, () =>
        {
            using var socket = new TcpClient(address, port);
            using var stream = new SslStream(socket.GetStream());
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = "b",
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificates = [certificate],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
                ApplicationProtocols = protocol is null ? null : [new SslApplicationProtocol(protocol)],
            };

            // A client's part of the handshake may end before it is refused.
            Assert.ThrowsAny<Exception>(() =>
            {
                stream.AuthenticateAsClient(options);
                Assert.NotEqual(0, stream.Read(new byte[1]));
            });
        });

    private Pair StartTls(string line)
    {
        var pair = new Pair(Lab, new PairOptions { DiskBytes = 64L << 20, ResourceLines = [line] });
        _pair = pair;
        pair.StartJoinedWithPrimaryA();
        return pair;
    }

    private Pair? _pair;

    private NbdTlsClient ClientOf(string name, string server) => new(Lab.Client, server, KeysOf(name), "mirrord");

    private string KeysOf(string name)
    {
        string directory = Path.Combine(Lab.Directory, $"keys-{name}");
        ToolResult made = _pair!.A.Offline(
            "cluster", "issue-client", name, "--out", directory, "--state-dir", _pair.A.StateDirectory).Require();
        output.WriteLine(made.Text);
        Assert.False(_pair.A.Offline(
            "cluster", "issue-client", name, "--out", directory, "--state-dir", _pair.A.StateDirectory).Succeeded);
        return directory;
    }

    private string WithoutCertificate()
    {
        string directory = Path.Combine(Lab.Directory, "keys-none");
        Directory.CreateDirectory(directory);
        File.Copy(Path.Combine(_pair!.A.StateDirectory, "identity", "authority.crt"), Path.Combine(directory, "ca-cert.pem"));
        return directory;
    }

    private string NodesOwn(Node node)
    {
        string directory = Path.Combine(Lab.Directory, "keys-node");
        Directory.CreateDirectory(directory);
        string identity = Path.Combine(node.StateDirectory, "identity");
        File.Copy(Path.Combine(identity, "authority.crt"), Path.Combine(directory, "ca-cert.pem"));
        File.Copy(Path.Combine(identity, "node.pem"), Path.Combine(directory, "client-cert.pem"));
        File.Copy(Path.Combine(identity, "node.pem"), Path.Combine(directory, "client-key.pem"));
        return directory;
    }

    /// <summary>Keys of another cluster, whose client nevertheless trusts this one's nodes.</summary>
    private string OtherClusters()
    {
        string state = Path.Combine(Lab.Directory, "other-state");
        string directory = Path.Combine(Lab.Directory, "keys-other");
        Node a = _pair!.A;
        a.Offline("cluster", "init", "--config", a.ConfigurationPath, "--node-name", "a", "--state-dir", state).Require();
        a.Offline("cluster", "issue-client", "backup", "--out", directory, "--state-dir", state).Require();
        File.Copy(
            Path.Combine(a.StateDirectory, "identity", "authority.crt"), Path.Combine(directory, "ca-cert.pem"), overwrite: true);
        return directory;
    }

    private void KeepOpen(string name, NbdTlsClient client) => Lab.Client.Start(
        name, "qemu-io",
        [.. client.QemuKeys, "-c", "read 0 4k", "-c", "sleep 600000", "--image-opts", client.QemuImage]);

    private ToolResult Show(string what, ToolResult result, bool succeeds = true)
    {
        output.WriteLine($"# {what}\n$ {result.CommandLine}\n{result.Text}exit status {result.ExitCode}\n");
        return succeeds ? result.Require() : result;
    }

    private void Refused(string what, ToolResult result, Node by, string cause)
    {
        Assert.False(Show(what, result, succeeds: false).Succeeded, $"{what} was let in: {result.Text}");
        by.Daemon.WaitForOutput(cause, 10);
    }
}
