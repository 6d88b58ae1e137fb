using MirrorD.Api;
using MirrorD.Engine.Latency;

namespace MirrorD.Daemon.Reports;

/// <summary>Turns what the engine counts into what the API shows. Any thread.</summary>
internal static class LoadReports
{
    private const long NsPerMicrosecond = 1000;

    /// <summary>A volume.</summary>
    /// <param name="resource">Name of its resource.</param>
    /// <param name="load">What the engine has counted.</param>
    public static VolumeLoadReport Of(string resource, VolumeLoad load) => new()
    {
        Resource = resource,
        Volume = load.Name,
        InWork = load.InWork,
        ReadBytes = load.ReadBytes,
        WrittenBytes = load.WrittenBytes,
        Times =
        [
            .. from operation in Enum.GetValues<LatencyOperation>()
               from stage in Enum.GetValues<LatencyStage>()
               let histogram = load.Of(operation, stage)
               where histogram is not null
               select Times(operation, stage, histogram.Take()),
        ],
    };

    private static StageTimesReport Times(LatencyOperation operation, LatencyStage stage, LatencySample sample) => new()
    {
        Operation = NameOf(operation),
        Stage = NameOf(stage),
        SumMicroseconds = sample.SumNs / NsPerMicrosecond,
        Counts =
        [
            .. sample.Counts.Select((count, step) => (Count: count, BoundNs: LatencyHistogram.BoundNs(step)))
                .Where(each => each.Count > 0)
                .Select(each => new TimeCountReport
                {
                    UpToMicroseconds = each.BoundNs == long.MaxValue ? null : each.BoundNs / NsPerMicrosecond,
                    Count = each.Count,
                }),
        ],
    };

    private static string NameOf(LatencyOperation operation) => operation switch
    {
        LatencyOperation.Write => LoadOperation.Write,
        LatencyOperation.Read => LoadOperation.Read,
        LatencyOperation.Flush => LoadOperation.Flush,
    };

    private static string NameOf(LatencyStage stage) => stage switch
    {
        LatencyStage.Queue => LoadStage.Queue,
        LatencyStage.Log => LoadStage.Log,
        LatencyStage.LocalDisk => LoadStage.LocalDisk,
        LatencyStage.Peer => LoadStage.Peer,
        LatencyStage.Network => LoadStage.Network,
        LatencyStage.PeerDisk => LoadStage.PeerDisk,
        LatencyStage.Reply => LoadStage.Reply,
        LatencyStage.Total => LoadStage.Total,
    };
}
