using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// Disks that fail and hang under real daemons. Their metadata lie on them too, so that the arbiter has to let the other
/// node go on with the only copy.
/// </summary>
public sealed class DiskFailureTests : PairTest
{
    private static PairOptions Options(string error, string mode = "sync") => new()
    {
        // A link that is lost before the peer has noted the loss of the disk ends the service; a host under load may well
        // stand still for longer than the usual limit just then.
        LinkTimeout = "15s",
        Disks = DiskKind.Failing,
        DiskError = error,
        DiskBytes = 64L << 20,
        Arbiter = true,
        // Longer than a disk that is merely slow takes on a host under load.
        ResourceLines = ["disk-timeout: 5s", $"mode: {mode}"],
    };

    [HostTheory]
    [InlineData("EIO")]
    [InlineData("ENOSPC")]
    public void A_primary_whose_disk_takes_no_writes_goes_on_without_an_error(string error) =>
        GoesOn(error, disk => disk.Fail(), disk => disk.Mend());

    [HostTheory]
    [InlineData("memory")]
    [InlineData("async")]
    public void What_was_answered_ahead_of_a_lost_disk_is_on_the_other_one(string mode) =>
        GoesOn("EIO", disk => disk.Fail(), disk => disk.Mend(), mode);

    [HostTheory]
    [InlineData("uring")]
    [InlineData("epoll")]
    public void A_primary_whose_disk_hangs_goes_on_without_an_error(string io) =>
        GoesOn("EIO", disk => disk.Hang(), disk => disk.GoOn(), io: io);

    [HostFact]
    public void A_standby_whose_disk_hangs_is_left_behind()
    {
        Pair pair = StartPair(Options("EIO"));
        var workload = new StampedWorkload(blockCount: 2000, seed: 11);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);
        pair.B.FailingDisk().Hang();
        Wait.For("the standby to be given up", 30, () => pair.B.Status().DiskState == "Failed");
        long acknowledged = workload.Acknowledged;
        Wait.For("writes to go on", 60, () => workload.Acknowledged > acknowledged + 500, () => Lab.Logs(40));
        pair.B.FailingDisk().GoOn();
        Attach(pair.B);
        pair.WaitUntilJoined(60);
        End(pair, workload, pair.A);
    }

    [HostFact]
    public void A_full_file_system_is_a_disk_that_failed()
    {
        Pair pair = StartPair(Options("EIO") with { Disks = DiskKind.Crowded });
        var workload = new StampedWorkload(blockCount: 6000, seed: 11);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);
        pair.A.FileSystem().Fill();
        WaitUntilItGoesOn(pair, workload);
        workload.Stop();
        Assert.Null(workload.Broken);

        pair.A.Control("switchover", Pair.ResourceName).Require();
        pair.A.FileSystem().Clear();
        Attach(pair.A);
        pair.WaitUntilJoined(60);
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_disk_that_was_replaced_gets_everything()
    {
        Pair pair = StartPair(Options("EIO"));
        var workload = new StampedWorkload(blockCount: 2000, seed: 11);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);
        pair.A.FailingDisk().Fail();
        WaitUntilItGoesOn(pair, workload);
        workload.Stop();
        Assert.Null(workload.Broken);

        // As the commands page says: another disk at the same place, while the service is on the other node.
        pair.A.Control("switchover", Pair.ResourceName).Require();
        pair.A.Daemon.Terminate();
        pair.A.FailingDisk().Mend();
        Tool.Run("dd", "if=/dev/zero", $"of={pair.A.Disk()}", "bs=1M", "count=64", "oflag=direct").Require();
        Pair.Create(pair.A, "--from", pair.B.Name);
        pair.A.StartAndWait();
        pair.WaitUntilJoined(60);
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));
        WaitUntilIdentical(pair);
    }

    private void WaitUntilItGoesOn(Pair pair, StampedWorkload workload)
    {
        pair.A.WaitFor("to go on with the disk of b", 30, view => view is { Link: "Diskless", DiskState: "Failed" });
        long acknowledged = workload.Acknowledged;
        Wait.For("writes to go on", 30, () => workload.Acknowledged > acknowledged + 500, () => Lab.Logs(40));
    }

    private void GoesOn(
        string error, Action<FailingDisk> breaks, Action<FailingDisk> mends, string mode = "sync", string io = "auto")
    {
        Pair pair = StartPair(Options(error, mode) with
        {
            NodeLine = new Dictionary<string, string> { ["a"] = $"io: {io}" },
        });
        var workload = new StampedWorkload(blockCount: 2000, seed: 11);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);
        breaks(pair.A.FailingDisk());
        WaitUntilItGoesOn(pair, workload);
        workload.Stop();
        Assert.Null(workload.Broken);

        Assert.False(pair.A.Control("attach", Pair.ResourceName).Succeeded);
        pair.A.Control("switchover", Pair.ResourceName).Require();
        mends(pair.A.FailingDisk());
        Attach(pair.A);
        pair.WaitUntilJoined(60);
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));
        WaitUntilIdentical(pair);
    }

    /// <summary>Not before the last request to the disk has ended.</summary>
    private void Attach(Node node) => Wait.For(
        $"{node.Name} to take its disk into use", 60, () => node.Control("attach", Pair.ResourceName).Succeeded,
        () => Lab.Logs(40));

    private static void End(Pair pair, StampedWorkload workload, Node primary)
    {
        workload.Stop();
        Assert.Null(workload.Broken);
        Assert.Empty(workload.Verify(primary.Export(), powerWasCut: false));
        WaitUntilIdentical(pair);
    }
}
