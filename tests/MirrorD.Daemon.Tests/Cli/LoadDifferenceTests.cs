using MirrorD.Api;
using MirrorD.Control;
using MirrorD.Control.Load;
using MirrorD.Control.Output;

namespace MirrorD.Daemon.Tests.Cli;

public class LoadDifferenceTests
{
    private static readonly StatusReport s_status = new()
    {
        Node = "a", NodeId = Guid.Empty, Version = "1", StartedAt = DateTimeOffset.UnixEpoch,
        Resources =
        [
            new ResourceReport
            {
                Name = "mail", Health = "ok", Role = "Primary", DiskState = "UpToDate", Link = "Joined", Peer = "b",
                Proof = "None", Volumes = [], Addresses = [], AheadBytes = 512,
            },
        ],
    };

    [Fact]
    public void Rates_and_times_are_of_what_came_in_between()
    {
        // 1000 slow ones lie before the first look.
        LoadReport before = Report(1_000_000, 0, (100, 0), (50_000, 1000));
        LoadReport after = Report(3_000_000, 8192, (100, 98), (50_000, 1000), (80_000, 2));
        VolumeRateReport volume = Assert.Single(LoadDifference.Between(before, after, s_status));
        OperationRateReport write = Assert.Single(volume.Operations);
        Assert.Equal((2.0, 512L, "Primary"), (volume.Seconds, volume.AheadBytes, volume.Role));
        Assert.Equal(("write", 50.0, 4096.0), (write.Operation, write.PerSecond, write.BytesPerSecond));
        StageQuantilesReport total = Assert.Single(write.Stages);
        Assert.Equal((100L, 80_000L), (total.P50Microseconds, total.P99Microseconds));
    }

    [Fact]
    public void A_person_sees_a_table_with_units()
    {
        var output = new StringWriter();
        var context = new CommandContext(output, output, TextReader.Null, IsTerminal: true, CanAsk: false);
        LoadTable.Write(
            LoadDifference.Between(Report(0, 0), Report(1_000_000, 1 << 20, (100, 98), (80_000, 2)), s_status), context);
        string shown = output.ToString();
        Assert.Contains("mail/data: Primary, 0 in work, 512 B at risk", shown);
        Assert.Contains("100µs", shown);
        Assert.Contains("80ms", shown);
    }

    [Fact]
    public void Beyond_the_scale_there_is_no_number()
    {
        OperationRateReport write = Assert.Single(Assert.Single(LoadDifference.Between(
            Report(0, 0), Report(1_000_000, 0, (100, 50), (null, 50)), s_status)).Operations);
        Assert.Equal((100L, (long?)null), (write.Stages[0].P50Microseconds, write.Stages[0].P99Microseconds));
    }

    [Fact]
    public void A_daemon_that_was_started_anew_has_no_difference_yet() => Assert.Empty(LoadDifference.Between(
        Report(0, 0), Report(1_000_000, 0) with { StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(1) }, s_status));

    private static LoadReport Report(
        long atMicroseconds, long writtenBytes, params (long? UpTo, long Count)[] counts) => new()
    {
        Node = "a", StartedAt = DateTimeOffset.UnixEpoch, AtMicroseconds = atMicroseconds,
        Volumes =
        [
            new VolumeLoadReport
            {
                Resource = "mail", Volume = "data", InWork = 0, ReadBytes = 0, WrittenBytes = writtenBytes,
                Times =
                [
                    new StageTimesReport
                    {
                        Operation = "write", Stage = "total", SumMicroseconds = 0,
                        Counts =
                        [
                            .. counts.Select(each => new TimeCountReport { UpToMicroseconds = each.UpTo, Count = each.Count }),
                        ],
                    },
                ],
            },
        ],
    };
}
