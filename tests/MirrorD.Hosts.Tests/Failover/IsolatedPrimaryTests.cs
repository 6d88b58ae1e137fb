using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>
/// A Primary that is cut off from everything but its local client completes nothing once the other node is Primary.
/// </summary>
public sealed class IsolatedPrimaryTests(SharedPair shared, ITestOutputHelper output) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Arbiter = true, ResourceLines = [ReleaseTimeout] };

    /// <summary>ISOLATION_ROUNDS of them (3); the roles change with each.</summary>
    public static TheoryData<int> Numbers() => [.. Enumerable.Range(1, Rounds.From("ISOLATION_ROUNDS", 3))];

    [HostTheory]
    [MemberData(nameof(Numbers))]
    public void No_write_of_a_local_client_is_acknowledged_after_the_standbys_promotion(int round)
    {
        var log = new AcknowledgementLog(Lab, Primary.Export());
        LabProcess fio = Lab.Start(
            $"fio-{round}", "fio", "--name=isolated", "--ioengine=nbd", $"--uri={NbdTools.Uri(log.Socket)}",
            "--rw=randwrite", "--bs=4k", "--iodepth=8", "--rate_iops=500", "--size=32M", "--time_based",
            "--runtime=3600");
        Wait.For("fio to write", 20, () => log.Writes().Count > 50, () => fio.Tail());

        Lab.Isolate(Primary.Host);
        Primary.LoseArbiter();
        Standby.WaitFor("to take over", 30, view => view.IsPrimary);
        Primary.WaitFor("to hold requests", 20, view => view.HoldUp is not null);
        Heal();
        Pair.WaitUntilJoined(60);
        fio.WaitForExit(60);

        DateTime last = log.Writes()[^1];
        RoleChange takeover = Standby.History()[^1];
        DateTime promoted = takeover.StartOf("promote");
        output.WriteLine(
            $"last acknowledged on {Primary.Name} {last:HH:mm:ss.fff}, promotion of {Standby.Name} began " +
            $"{promoted:HH:mm:ss.fff}; {log.Writes().Count} acknowledged, {log.FailedWrites().Count} failed");
        Assert.Equal("takeover", takeover.Kind);
        Assert.True(last < promoted, $"acknowledged at {last:O}, promotion began at {promoted:O}");
        Assert.True(Standby.Status().IsPrimary);
    }
}
