using System.Globalization;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>Both copies compared by real daemons, under load. The witness is cmp, which looks at the disks past them.</summary>
public sealed class VerifyTests : PairTest
{
    private const int RangeBytes = 128 << 10;

    // fio writes below it. In the middle of a range.
    private const long PlantedAt = (48L << 20) + 70_000;
    private const long PlantedIn = 48L << 20;

    [HostTheory]
    [InlineData("sync")]
    [InlineData("memory")]
    [InlineData("async")]
    public void Under_load_nothing_differs_but_a_byte_planted_on_a_disk_which_is_found_where_it_is(string mode)
    {
        Pair pair = StartPair(new PairOptions
        {
            DiskBytes = 64L << 20,
            ResourceLines = ["verify-rate: none", $"mode: {mode}"],
        });
        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 16L << 20);
        for (int round = 0, written = 0; written < 3; round++)
        {
            Assert.True(round < 12, "fio has to write while a verify runs");
            Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
            DateTime begun = DateTime.UtcNow;
            Assert.Equal((0, 0, 0), Verify(pair));
            Assert.Empty(pair.A.Status().VerifyFindings);
            written += File.GetLastWriteTimeUtc(pair.B.Disk()) > begun ? 1 : 0;
        }

        Tool.Run("sh", "-c", $"printf x | dd of={pair.B.Disk()} bs=1 seek={PlantedAt} conv=notrunc,fsync").Require();
        Assert.Equal((RangeBytes, 0, 0), Verify(pair));
        Assert.Equal([$"different {PlantedIn}+{RangeBytes}"], pair.A.Status().VerifyFindings);
        Assert.Contains("verify-differs", pair.A.Control("events").Require().Output);
        Assert.Contains("different", pair.A.Control("status").Require().Output);
        Assert.Equal(1, pair.B.Control("verify", Pair.ResourceName).ExitCode);

        // The witness agrees: that byte, and no other.
        IReadOnlyList<long> seen = [];
        fio.Pause();
        Wait.For(
            "cmp to see the planted byte only", 30, () => (seen = pair.DifferingBytes()) is [PlantedAt],
            () => string.Join(' ', seen.Take(20)));
        fio.Resume();

        ToolResult repair = pair.A.Control("verify", Pair.ResourceName, "--repair").Require();
        Assert.Contains("a is Primary, so that its copy counts", repair.Output);
        Assert.Equal((RangeBytes, 0, RangeBytes), Ended(pair));
        Assert.Equal([$"different {PlantedIn}+{RangeBytes} repaired"], pair.A.Status().VerifyFindings);
        Assert.Equal((0, 0, 0), Verify(pair));
        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);

        // Both nodes still know after a restart.
        pair.B.WaitFor("to know of the last verify", 10, view => view.Verify is { } known && known.Bytes == (0, 0, 0));
        pair.B.Daemon.Kill();
        pair.B.StartAndWait();
        Assert.Equal((0, 0, 0), pair.B.Status().Verify?.Bytes);
    }

    [HostFact]
    public void By_schedule_the_primary_begins_one_by_itself()
    {
        // Both daemons have to be joined by then.
        DateTime due = DateTime.Now.AddSeconds(105);
        string time = due.ToString("HH:mm", CultureInfo.InvariantCulture);
        Pair pair = StartPair(new PairOptions { DiskBytes = 64L << 20, ResourceLines = [$"verify-schedule: daily {time}"] });
        Assert.Null(pair.A.Status().Verify);
        Assert.Contains("The next verify is due", pair.A.Explain());
        Assert.Contains("NEXT-VERIFY", pair.A.Control("status").Require().Output);
        pair.A.WaitFor("to have begun a verify by itself", 180, view => view.Verify is { HasEnded: true });
        Assert.Equal((true, null, (0, 0, 0)), pair.A.Status().Verify);
        Assert.Contains("verify-started", pair.A.Control("events").Require().Output);
        pair.B.WaitFor("to know of it", 30, view => view.Verify is { HasEnded: true });
        string there = pair.B.Control("events").Require().Output;
        Assert.DoesNotContain("verify-started", there);
        Assert.DoesNotContain("verify-skipped", there);
    }

    private static (long, long, long) Verify(Pair pair)
    {
        pair.A.Control("verify", Pair.ResourceName).Require();
        return Ended(pair);
    }

    private static (long, long, long) Ended(Pair pair)
    {
        pair.A.WaitFor("the verify to end", 120, view => view.Verify is { HasEnded: true });
        (bool _, string? endedEarly, (long, long, long) bytes) = pair.A.Status().Verify!.Value;
        Assert.Null(endedEarly);
        return bytes;
    }
}
