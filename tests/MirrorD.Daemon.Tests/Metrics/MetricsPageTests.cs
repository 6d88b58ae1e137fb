using MirrorD.Api;
using MirrorD.Daemon.Metrics;

namespace MirrorD.Daemon.Tests.Metrics;

public class MetricsPageTests
{
    private const string Stage = "mirrord_volume_request_stage_duration_seconds";

    [Fact]
    public void Every_metric_is_there_with_help_and_type_in_the_text_of_a_running_pair()
    {
        ExpositionText text = Text();
        Assert.Equal(
            KnownMetrics.All.Select(metric => (metric.Name, metric.Type)),
            text.Types.Select(each => (each.Key, each.Value)));
        Assert.Equal(98_765, text["mirrord_allocated_bytes_total"]);
        Assert.Equal(5, text["mirrord_gc_collections_total{generation=\"0\"}"]);
        Assert.Equal(1, text["mirrord_gc_collections_total{generation=\"2\"}"]);
        Assert.Equal(1, text["mirrord_resource_role{resource=\"mail\",role=\"Primary\"}"]);
        Assert.Equal(0, text["mirrord_resource_role{resource=\"mail\",role=\"Standby\"}"]);
        Assert.Equal(1, text["mirrord_resource_disk_state{resource=\"mail\",state=\"UpToDate\"}"]);
        Assert.Equal(4096, text["mirrord_resource_at_risk_bytes{resource=\"mail\"}"]);
        Assert.Equal(2.5, text["mirrord_resource_behind_seconds{resource=\"mail\"}"]);
        Assert.Equal(53, text["mirrord_resource_resync_left_seconds{resource=\"mail\"}"]);
        Assert.Equal(3, text["mirrord_resource_role_changes_total{resource=\"mail\",kind=\"takeover\",result=\"done\"}"]);
        Assert.Equal(8192, text["mirrord_volume_out_of_sync_bytes{resource=\"mail\",volume=\"data\"}"]);
        Assert.Equal(1, text["mirrord_resource_frozen{resource=\"mail\"}"]);
        Assert.Equal(0.3, text["mirrord_path_last_heard_seconds{peer=\"b\",network=\"10.0.0.1\",kind=\"dedicated\"}"]);
    }

    [Fact]
    public void A_histogram_has_the_counts_up_to_each_bound_and_their_sum()
    {
        ExpositionText text = Text();
        const string labels = "resource=\"mail\",volume=\"data\",operation=\"write\",stage=\"peer_disk\"";
        Assert.Equal(0, text[$"{Stage}_bucket{{{labels},le=\"0.000004\"}}"]);
        Assert.Equal(7, text[$"{Stage}_bucket{{{labels},le=\"0.000016\"}}"]);
        Assert.Equal(7, text[$"{Stage}_bucket{{{labels},le=\"0.016384\"}}"]);
        Assert.Equal(9, text[$"{Stage}_bucket{{{labels},le=\"0.065536\"}}"]);
        Assert.Equal(10, text[$"{Stage}_bucket{{{labels},le=\"+Inf\"}}"]);
        Assert.Equal(0.04, text[$"{Stage}_sum{{{labels}}}"]);
    }

    [Fact]
    public void While_the_time_left_is_unknown_it_is_not_there_and_without_resync_it_is_zero()
    {
        const string left = "mirrord_resource_resync_left_seconds{resource=\"mail\"}";
        Assert.False(Text(resource => resource with { Resync = resource.Resync! with { SecondsLeft = null } }).Has(left));
        Assert.Equal(0, Text(resource => resource with { Resync = null })[left]);
    }

    [Fact]
    public void Labels_are_escaped()
    {
        ExpositionText text = Text(resource => resource with { Name = "a\"b\\c\nd" });
        Assert.True(text.Has("mirrord_resource_frozen{resource=\"a\\\"b\\\\c\\nd\"}"));
    }

    private static ExpositionText Text(Func<ResourceReport, ResourceReport>? change = null)
    {
        var resource = new ResourceReport
        {
            Name = "mail", Health = ResourceHealth.HeldUp, Role = "Primary", DiskState = "UpToDate", Link = "SyncSource",
            Peer = "b", Proof = "None", AheadBytes = 4096, AheadMs = 2500,
            Resync = new ResyncReport
            {
                TotalBytes = 100, RemainingBytes = 50, SentBytes = 50, BytesPerSecond = 1, SecondsLeft = 53,
                StartedAt = DateTimeOffset.UnixEpoch,
            },
            HoldUp = new HoldUpReport
            {
                State = "FrozenNoProof", Reason = "r", Owner = "operator", Since = DateTimeOffset.UnixEpoch,
            },
            Volumes =
            [
                new VolumeReport
                {
                    Name = "data", Device = "/d", LengthBytes = 1 << 20, DirtyBytes = 8192, Reads = 1, Writes = 2,
                },
            ],
            Addresses = [],
        };
        var status = new StatusReport
        {
            Node = "a", NodeId = Guid.Empty, Version = "1.2.3", StartedAt = DateTimeOffset.UnixEpoch,
            Resources = [change?.Invoke(resource) ?? resource],
            Paths =
            [
                new PathReport
                {
                    Peer = "b", Network = "10.0.0.1", Kind = "dedicated", State = PathState.Up,
                    Since = DateTimeOffset.UnixEpoch, LastHeardMs = 300,
                },
            ],
        };
        TimeCountReport[] counts =
        [
            new() { UpToMicroseconds = 16, Count = 7 }, new() { UpToMicroseconds = 40_000, Count = 2 }, new() { Count = 1 },
        ];
        var load = new LoadReport
        {
            Node = "a", StartedAt = DateTimeOffset.UnixEpoch, AtMicroseconds = 5,
            Volumes =
            [
                new VolumeLoadReport
                {
                    Resource = "mail", Volume = "data", InWork = 3, ReadBytes = 10, WrittenBytes = 20,
                    Times =
                    [
                        new StageTimesReport
                        {
                            Operation = "write", Stage = "peer_disk", SumMicroseconds = 40_000, Counts = counts,
                        },
                        new StageTimesReport { Operation = "read", Stage = "total", SumMicroseconds = 0, Counts = [] },
                    ],
                },
            ],
        };
        var takeovers = new RoleChangeCount("mail", TakeoverKind.Takeover, Succeeded: true, 3);
        return new ExpositionText(MetricsPage.Of(status, load, [takeovers], new HeapCounts(98_765, [5, 2, 1])));
    }
}
