using MirrorD.Api;

namespace MirrorD.Control.Load;

/// <summary>What happened between two reports of one daemon.</summary>
internal static class LoadDifference
{
    /// <summary>The rates of all volumes of the later report; none when the daemon was started in between.</summary>
    /// <param name="before">The earlier report.</param>
    /// <param name="after">The later one.</param>
    /// <param name="status">States at the time of the later one.</param>
    public static IReadOnlyList<VolumeRateReport> Between(LoadReport before, LoadReport after, StatusReport status)
    {
        double seconds = (after.AtMicroseconds - before.AtMicroseconds) / 1e6;
        if (before.StartedAt != after.StartedAt || seconds <= 0)
        {
            return [];
        }

        return
        [
            .. from now in after.Volumes
               let then = before.Volumes.FirstOrDefault(
                   each => each.Resource == now.Resource && each.Volume == now.Volume)
               let resource = status.Resources.FirstOrDefault(each => each.Name == now.Resource)
               where then is not null && resource is not null
               select Of(then, now, resource, seconds),
        ];
    }

    private static VolumeRateReport Of(
        VolumeLoadReport then, VolumeLoadReport now, ResourceReport resource, double seconds) => new()
    {
        Resource = now.Resource,
        Volume = now.Volume,
        Role = resource.Role,
        Seconds = seconds,
        InWork = now.InWork,
        AheadBytes = resource.AheadBytes,
        AheadMs = resource.AheadMs,
        ResyncSecondsLeft = resource.Resync?.SecondsLeft,
        Operations =
        [
            .. now.Times.GroupBy(times => times.Operation).Select(stages => new OperationRateReport
            {
                Operation = stages.Key,
                PerSecond = stages.Where(times => times.Stage == LoadStage.Total)
                    .Sum(times => Counts(then, times).Sum(each => each.Count)) / seconds,
                BytesPerSecond = stages.Key switch
                {
                    LoadOperation.Read => (now.ReadBytes - then.ReadBytes) / seconds,
                    LoadOperation.Write => (now.WrittenBytes - then.WrittenBytes) / seconds,
                    _ => 0,
                },
                Stages =
                [
                    .. stages.Select(times => Quantiles(times.Stage, Counts(then, times))).OfType<StageQuantilesReport>(),
                ],
            }),
        ],
    };

    private static StageQuantilesReport? Quantiles(string stage, IReadOnlyList<TimeCountReport> counts) =>
        counts.Count == 0 ? null : new StageQuantilesReport
        {
            Stage = stage,
            P50Microseconds = Quantile(counts, 50),
            P99Microseconds = Quantile(counts, 99),
        };

    /// <summary>Upper end of the step up to which so many of a hundred are.</summary>
    private static long? Quantile(IReadOnlyList<TimeCountReport> counts, int percent)
    {
        long all = counts.Sum(each => each.Count);
        long upTo = 0;
        foreach (TimeCountReport each in counts)
        {
            upTo += each.Count;
            if (upTo * 100 >= all * percent)
            {
                return each.UpToMicroseconds;
            }
        }

        return null;
    }

    private static List<TimeCountReport> Counts(VolumeLoadReport then, StageTimesReport now)
    {
        StageTimesReport? before = then.Times.FirstOrDefault(
            times => times.Operation == now.Operation && times.Stage == now.Stage);
        return
        [
            .. now.Counts.Select(each => each with
            {
                Count = each.Count
                    - (before?.Counts.FirstOrDefault(one => one.UpToMicroseconds == each.UpToMicroseconds)?.Count ?? 0),
            }).Where(each => each.Count > 0),
        ];
    }
}
