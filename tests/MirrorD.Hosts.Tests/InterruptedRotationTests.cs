using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>Two exchanges of keys that meet, and one whose leader dies.</summary>
public sealed class InterruptedRotationTests : PairTest
{
    private static readonly PairOptions s_options = new() { OnPeerLoss = "continue", DiskBytes = 64L << 20 };

    [HostFact]
    public void Exchanges_that_begin_on_both_nodes_at_once_end_with_the_same_keys_and_the_link_is_never_lost()
    {
        Pair pair = StartPair(s_options);
        Dictionary<Node, long> begin = LastEventsOncePathsAreUp(pair);
        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 16L << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        string? session = pair.A.Status().Session;
        for (int round = 0; round < 5; round++)
        {
            string before = Sending(pair.A);
            using var start = new Barrier(2);
            ToolResult[] ended = [.. Task.WhenAll(((Node[])[pair.A, pair.B]).Select(node => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return node.Control("keys", "rotate");
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))).Result];
            Assert.Contains(ended, one => one.Succeeded);
            Assert.All(ended.Where(one => !one.Succeeded), one =>
            {
                Assert.Equal(1, one.ExitCode);
                Assert.Contains("keys are being exchanged already", one.Error, StringComparison.Ordinal);
                Assert.Contains("wait for its end", one.Error, StringComparison.Ordinal);
            });
            Assert.NotEqual(before, Sending(pair.A));
            RequireAgreed(pair);
        }

        Wait.For("fio to write on", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        fio.StopAndRequireClean();
        Assert.Equal((session, true), (pair.A.Status().Session, pair.A.Status().IsJoined));
        Assert.Contains("keys-rotated", RequireNothingLost(begin));
        WaitUntilIdentical(pair);
        RequireRestartsJoin(pair);
    }

    // a leads, wherever it was asked for; b serves meanwhile.
    [HostTheory]
    [InlineData("the key of the heartbeats")]
    [InlineData("the certificate of the other node")]
    [InlineData("its own certificate")]
    public void An_exchange_whose_leader_is_killed_in_the_middle_is_ended_by_another_one_from_the_other_node(string at)
    {
        Pair pair = StartPair(s_options);
        pair.A.Control("switchover", Pair.ResourceName).Require();
        pair.B.WaitFor("to be Primary", 20, view => view.IsPrimary);
        pair.WaitUntilJoined(30);
        var fio = new FioRun(Lab, pair.B.Export(), clients: 2, bytesPerClient: 16L << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        Func<bool> isThere = at switch
        {
            "the key of the heartbeats" => () => File.ReadLines(StateFile(pair.A, "cluster.key")).Count() > 1,
            "the certificate of the other node" => () => File.Exists(StateFile(pair.B, "identity", "former-keys")),
            _ => () => File.Exists(StateFile(pair.A, "identity", "former-keys")),
        };
        bool isKilled = false;
        for (int attempt = 0; attempt < 10 && !isKilled; attempt++)
        {
            isKilled = KillInTheMiddle(pair, isThere);
            pair.A.StartAndWait();
            pair.WaitUntilJoined(60);
        }

        Assert.True(isKilled, "no exchange was caught in the middle");
        string before = Sending(pair.B);
        pair.B.Control("keys", "rotate").Require();
        Assert.NotEqual(before, Sending(pair.B));
        RequireAgreed(pair);
        Assert.False(File.Exists(StateFile(pair.A, "identity", "former-keys")));
        Assert.False(File.Exists(StateFile(pair.B, "identity", "former-keys")));
        Wait.For("fio to write on", 30, () => fio.HasWrittenSince(pair.A.Disk()), fio.Tail);
        fio.StopAndRequireClean();
        Assert.True(pair.B.Status().IsPrimary);
        WaitUntilIdentical(pair);
        RequireRestartsJoin(pair);
    }

    /// <summary>True when the leader died before the exchange had ended.</summary>
    private static bool KillInTheMiddle(Pair pair, Func<bool> isThere)
    {
        ToolResult? ended = null;
        var asked = new Thread(() => ended = pair.B.Control("keys", "rotate"));
        asked.Start();
        SpinWait.SpinUntil(() => isThere() || !asked.IsAlive, TimeSpan.FromSeconds(60));
        pair.A.Daemon.Kill();
        asked.Join();
        return !ended!.Succeeded;
    }

    /// <summary>Both use one key and accept no other, and the same keys were taken back on both.</summary>
    private static void RequireAgreed(Pair pair)
    {
        Assert.Equal(Sending(pair.A), Sending(pair.B));
        Assert.Single(File.ReadLines(StateFile(pair.A, "cluster.key")));
        Assert.Equal(
            File.ReadAllText(StateFile(pair.A, "cluster.key")), File.ReadAllText(StateFile(pair.B, "cluster.key")));
        string[][] revoked = [Revoked(pair.A), Revoked(pair.B)];
        Assert.NotEmpty(revoked[0]);
        Assert.Equal(revoked[0], revoked[1]);
        pair.A.Control("status", "--node", "b").Require();
        pair.B.Control("status", "--node", "a").Require();
    }

    // The keys that are stored are those that are used.
    private static void RequireRestartsJoin(Pair pair)
    {
        Node standby = pair.A.Status().IsPrimary ? pair.B : pair.A;
        standby.Daemon.Kill();
        standby.StartAndWait();
        pair.WaitUntilJoined(60);
    }

    private static string[] Revoked(Node node) =>
    [
        .. File.ReadLines(StateFile(node, "identity", "revoked")).Select(line => line.Split(' ')[0])
            .Order(StringComparer.Ordinal),
    ];

    private static string Sending(Node node) => File.ReadLines(StateFile(node, "cluster.key")).First();

    private static string StateFile(Node node, params string[] parts) => Path.Combine([node.StateDirectory, .. parts]);
}
