using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>Keys are exchanged while a pair works.</summary>
public sealed class RotationTests : PairTest
{
    [HostFact]
    public void All_keys_are_exchanged_under_load_without_a_lost_frame_and_the_former_ones_are_refused()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = 64L << 20 });
        string formerState = Path.Combine(Lab.Directory, "former");
        Wait.For(
            "b's scratch pair to be gone", 30,
            () => Directory.GetDirectories(pair.B.StateDirectory, "scratch-*").Length == 0);
        Tool.Run("cp", "-a", pair.B.StateDirectory, formerState).Require();
        Dictionary<Node, long> begin = LastEventsOncePathsAreUp(pair);
        string[] before = [KeysOf(pair.A), KeysOf(pair.B)];
        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 16L << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);

        for (int round = 0; round < 3; round++)
        {
            Node leader = round % 2 == 0 ? pair.A : pair.B;
            ToolResult rotated = leader.Control("keys", "rotate").Require();
            Assert.Contains("the former keys are no longer good", rotated.Output, StringComparison.Ordinal);
            string[] after = [KeysOf(pair.A), KeysOf(pair.B)];
            Assert.All(before.Zip(after), each => Assert.NotEqual(each.First, each.Second));
            Assert.All(after, keys => Assert.DoesNotContain("accepted, too", keys, StringComparison.Ordinal));
            before = after;
        }

        Wait.For("fio to write on", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        fio.StopAndRequireClean();
        Assert.Contains("keys-rotated", RequireNothingLost(begin));
        WaitUntilIdentical(pair);

        // The new keys are those that are used: a restart goes on with them.
        pair.B.Daemon.Kill();
        pair.B.StartAndWait();
        pair.WaitUntilJoined(30);

        // Somebody has the former ones: refused on the link, on the call port, and in every datagram.
        pair.B.Daemon.Kill();
        Directory.Move(pair.B.StateDirectory, Path.Combine(Lab.Directory, "present"));
        Directory.Move(formerState, pair.B.StateDirectory);
        pair.B.StartAndWait();
        pair.A.Daemon.WaitForOutput("has a key of node b that was taken back", 30);
        pair.B.Daemon.WaitForOutput("this node's key was taken back", 30);
        Assert.False(pair.B.Control("events", "--node", "a").Succeeded);
        Wait.For("datagrams to be refused", 30, () => pair.A.Control("events").Output.Contains("watch-garbage"));
        Assert.True(pair.A.Status().IsPrimary);
        Assert.False(pair.A.Status().IsJoined);
    }

    [HostFact]
    public void With_a_node_that_does_not_run_nothing_is_changed()
    {
        Pair pair = StartPair(new PairOptions { OnPeerLoss = "continue", DiskBytes = 64L << 20 });
        pair.B.Daemon.Kill();
        string before = KeysOf(pair.A);

        ToolResult rotated = pair.A.Control("keys", "rotate");

        Assert.Contains("node b can't be asked", rotated.Error, StringComparison.Ordinal);
        Assert.Equal(1, rotated.ExitCode);
        Assert.Equal(before, KeysOf(pair.A));
        pair.B.StartAndWait();
        pair.WaitUntilJoined(30);
    }

    private static string KeysOf(Node node) => node.Control("keys", "show").Require().Output;
}
