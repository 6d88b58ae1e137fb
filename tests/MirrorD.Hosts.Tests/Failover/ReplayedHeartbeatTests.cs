using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>Heartbeats that somebody has recorded and says again: the dead stay dead.</summary>
public sealed class ReplayedHeartbeatTests(SharedPair shared, ITestOutputHelper output) : FailoverTest(shared, s_options)
{
    private const int HeartbeatPort = 7780;
    private const int Enough = 20;

    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Arbiter = true, ResourceLines = [ReleaseTimeout] };

    [HostFact]
    public void Whatever_runs_of_a_dead_primary_have_said_is_said_again_in_a_loop_and_the_standby_takes_over()
    {
        (Host from, Host to) = (Primary.Host, Standby.Host);
        DatagramRecording[] recordings =
        [
            new(to, Host.DedicatedInterface, from.DedicatedAddress!, to.DedicatedAddress!, HeartbeatPort),
            new(to, Host.ProductionInterface, from.ProductionAddress, to.ProductionAddress, HeartbeatPort),
        ];
        RecordMore(recordings);

        // Said to an earlier run of the receiver.
        Restart(Standby);
        RecordMore(recordings);

        // Said by earlier runs of the sender.
        Primary.Control("switchover", Pair.ResourceName).Require();
        Standby.WaitFor("to be Primary", 20, view => view.IsPrimary);
        for (int run = 0; run < 2; run++)
        {
            Restart(Primary);
            RecordMore(recordings);
        }

        Standby.Control("switchover", Pair.ResourceName).Require();
        Primary.WaitFor("to be Primary", 20, view => view.IsPrimary);
        Pair.WaitUntilJoined(30);
        Witness.WaitForWrites(Primary);
        RecordMore(recordings);
        Array.ForEach(recordings, one => one.End());
        RecordedDatagram[] said = [.. recordings.SelectMany(one => one.Datagrams)];

        Primary.Daemon.Kill();
        using (var replay = new DatagramReplay(from, said))
        {
            Primary.RunReleaseHelper();
            WaitForTakeover();
            int before = replay.Sent;
            Wait.For("all to be said again", 60, () => replay.Sent > before + said.Length);
            Assert.True(replay.IsRunning);
            Wait.While(
                "all paths are lost", 2, () => Are(Standby, "Lost"),
                () => string.Join(", ", Standby.Paths()));
            output.WriteLine($"{said.Length} datagrams, {replay.Sent} sent");
        }

        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
        Spoil();
    }

    private void Restart(Node node)
    {
        node.Daemon.Terminate();
        node.StartAndWait();
        Pair.WaitUntilJoined(60);
        Wait.For("all paths to be up", 30, () => Are(Pair.A, "Up") && Are(Pair.B, "Up"));
    }

    private static bool Are(Node node, string state) =>
        node.Paths() is { Count: 2 } paths && paths.Values.All(each => each == state);

    private static void RecordMore(DatagramRecording[] recordings)
    {
        int[] before = [.. recordings.Select(one => one.Datagrams.Count)];
        Wait.For(
            "heartbeats to be recorded on both networks", 30,
            () => recordings.Zip(before).All(each => each.First.Datagrams.Count >= each.Second + Enough));
    }
}
