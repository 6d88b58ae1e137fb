using MirrorD.Lab;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Witness;
using ServiceClient = MirrorD.Lab.Witness.ServiceClient;

namespace MirrorD.Hosts.Tests;

/// <summary>The witnesses themselves, against what is known to be right and known to be wrong.</summary>
public sealed class WitnessTests
{
    [Fact]
    public void One_node_after_the_other_is_no_violation()
    {
        WitnessedWrite[] writes = [new("a", 1, 0, 1), new("a", 2, 2, 3), new("b", 1, 4, 5), new("b", 2, 6, 7)];
        Assert.Empty(OneWriter.Violations(writes, (_, _) => "s", (_, _) => "s"));
    }

    [Fact]
    public void A_node_that_goes_on_after_the_other_in_the_same_session_is_a_violation()
    {
        WitnessedWrite[] writes = [new("a", 1, 0, 1), new("b", 1, 2, 3), new("a", 2, 2, 4), new("a", 3, 5, 6)];
        string complaint = Assert.Single(OneWriter.Violations(writes, (_, _) => "s", (_, _) => "s"));
        Assert.Contains("then a its 2", complaint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_comes_back_after_a_join_is_no_violation()
    {
        WitnessedWrite[] writes = [new("a", 1, 0, 1), new("b", 1, 2, 3), new("a", 2, 8, 9), new("b", 2, 10, 11)];
        Assert.Empty(OneWriter.Violations(
            writes, (node, moment) => Session(node, moment - 1), (node, moment) => Session(node, moment + 1)));

        // They join at 6 and 7; a is Primary then, dies, and b takes over.
        static string Session(string node, long moment) => moment < (node == "a" ? 6 : 7) ? "first" : "second";
    }

    [HostFact]
    public void Two_servers_that_both_take_writes_are_seen_and_a_lost_write_as_well()
    {
        using var lab = new Lab.Lab();
        string one = Serve(lab, "one");
        string other = Serve(lab, "other");
        var a = new WitnessWriter("a", one, firstBlock: 0);
        var b = new WitnessWriter("b", other, firstBlock: WitnessWriter.Blocks);
        a.Start();
        b.Start();
        Wait.For("writes through both", 20, () => a.Count > 20 && b.Count > 20);
        a.Stop();
        b.Stop();

        Assert.NotEmpty(OneWriter.Violations([.. a.Writes, .. b.Writes], (_, _) => "s", (_, _) => "s"));
        Assert.Empty(a.Verify(one));
        Assert.Empty(b.Verify(other));
        Assert.NotEmpty(b.Verify(one));
    }

    [HostFact]
    public void The_client_of_the_service_is_answered_by_the_host_that_holds_the_address()
    {
        using var lab = new Lab.Lab();
        using var onA = new ServiceEcho(lab.A);
        using var onB = new ServiceEcho(lab.B);
        lab.A.Run("ip", "addr", "add", $"{MirrorD.Lab.Lab.ServiceAddress}/32", "dev", "prod").Require();
        using var client = new ServiceClient(lab.Client);
        Wait.For("an answer of a", 20, () => client.Last == "a");

        // As when a's host dies and b takes over: the old connection ends only when b says so.
        lab.Production.Disable(lab.A);
        lab.B.Run("ip", "addr", "add", $"{MirrorD.Lab.Lab.ServiceAddress}/32", "dev", "prod").Require();
        lab.Client.Run("ip", "neigh", "flush", "all").Require();
        Wait.For("an answer of b", 30, () => client.Last == "b");
        Assert.True(client.Interruption > TimeSpan.Zero);
        Assert.True(client.Reconnects > 0);
    }

    private static string Serve(Lab.Lab lab, string name)
    {
        string medium = BackingFile.Create(Path.Combine(lab.Directory, $"{name}.medium"), 16 << 20);
        string socket = Path.Combine(lab.Directory, name);
        lab.Start(name, "nbdkit", "--foreground", "--unix", socket, "file", medium);
        Wait.For("the server to listen", 10, () => File.Exists(socket));
        return socket;
    }
}
