using MirrorD.Api;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Metrics;

/// <summary>What <c>GET /metrics</c> answers, made of the reports that the API shows as well.</summary>
internal sealed class MetricsPage
{
    private static readonly string[] s_healths =
        [ResourceHealth.Ok, ResourceHealth.Syncing, ResourceHealth.Degraded, ResourceHealth.HeldUp, ResourceHealth.Failed];

    /// <summary>Upper ends in microseconds of a histogram's counts: from 4 µs to 17 s, four times longer each.</summary>
    private static readonly long[] s_boundsMicroseconds = [.. Enumerable.Range(1, 12).Select(i => 1L << (2 * i))];

    private readonly StatusReport _status;
    private readonly LoadReport _load;
    private readonly IReadOnlyList<RoleChangeCount> _changes;
    private readonly HeapCounts _heap;
    private readonly MetricsText _text = new();

    private MetricsPage(StatusReport status, LoadReport load, IReadOnlyList<RoleChangeCount> changes, HeapCounts heap)
    {
        _status = status;
        _load = load;
        _changes = changes;
        _heap = heap;
    }

    /// <summary>The whole text.</summary>
    /// <param name="status">States.</param>
    /// <param name="load">What was counted.</param>
    /// <param name="changes">Changes of role on this node, by resource.</param>
    /// <param name="heap">What the daemon has taken from its heap.</param>
    public static string Of(
        StatusReport status, LoadReport load, IReadOnlyList<RoleChangeCount> changes, HeapCounts heap)
    {
        var page = new MetricsPage(status, load, changes, heap);
        page.WriteNode();
        page.WriteStates();
        page.WriteResources();
        page.WriteVolumes();
        page.WriteTimes();
        return page._text.ToString();
    }

    private void WriteNode()
    {
        _text.Begin(KnownMetrics.Build);
        _text.Add(1, ("node", _status.Node), ("version", _status.Version));
        _text.Begin(KnownMetrics.Start);
        _text.Add(_status.StartedAt.ToUnixTimeMilliseconds() / 1000.0);
        _text.Begin(KnownMetrics.AllocatedBytes);
        _text.Add(_heap.AllocatedBytes);
        _text.Begin(KnownMetrics.Collections);
        foreach ((int generation, long count) in _heap.Collections.Index())
        {
            _text.Add(count, ("generation", $"{generation}"));
        }

        _text.Begin(KnownMetrics.PathUp);
        foreach (PathReport path in _status.Paths)
        {
            int isUp = path.State == PathState.Up ? 1 : 0;
            _text.Add(isUp, ("peer", path.Peer), ("network", path.Network), ("kind", path.Kind));
        }

        _text.Begin(KnownMetrics.PathHeard);
        foreach (PathReport path in _status.Paths.Where(path => path.LastHeardMs is not null))
        {
            _text.Add(path.LastHeardMs!.Value / 1000.0, ("peer", path.Peer), ("network", path.Network), ("kind", path.Kind));
        }
    }

    private void WriteStates()
    {
        States(KnownMetrics.Health, "health", s_healths, resource => resource.Health);
        States(KnownMetrics.Role, "role", Enum.GetNames<Role>(), resource => resource.Role);
        States(KnownMetrics.Disk, "state", Enum.GetNames<DiskState>(), resource => resource.DiskState);
        States(KnownMetrics.PeerDisk, "state", Enum.GetNames<DiskState>(), resource => resource.PeerDiskState);
        States(KnownMetrics.Link, "state", Enum.GetNames<LinkState>(), resource => resource.Link);
    }

    /// <summary>All states with 0 or 1, so that a query for one never finds nothing.</summary>
    private void States(Metric metric, string label, string[] states, Func<ResourceReport, string?> present)
    {
        _text.Begin(metric);
        foreach (ResourceReport resource in _status.Resources)
        {
            foreach (string state in states)
            {
                _text.Add(present(resource) == state ? 1 : 0, ("resource", resource.Name), (label, state));
            }
        }
    }

    private void WriteResources()
    {
        Each(KnownMetrics.Frozen, resource =>
            resource.HoldUp?.State.StartsWith("Frozen", StringComparison.Ordinal) == true ? 1 : 0);
        Each(KnownMetrics.Held, resource => resource.HeldRequests);
        Each(KnownMetrics.AtRisk, resource => resource.AheadBytes);
        Each(KnownMetrics.Behind, resource => (resource.AheadMs ?? 0) / 1000.0);
        Each(KnownMetrics.ResyncLeft, resource => resource.Resync?.RemainingBytes ?? 0);
        Each(KnownMetrics.ResyncRate, resource => resource.Resync?.BytesPerSecond ?? 0);
        Each(KnownMetrics.ResyncEta, resource => resource.Resync is { } resync ? resync.SecondsLeft : 0);
        Each(KnownMetrics.Promotions, resource => resource.Promotions);
        _text.Begin(KnownMetrics.RoleChanges);
        foreach (RoleChangeCount change in _changes)
        {
            _text.Add(change.Count, ("resource", change.Resource), ("kind", change.Kind),
                ("result", change.Succeeded ? "done" : "failed"));
        }

        Each(KnownMetrics.Repaired, resource => resource.RepairedReads);
    }

    private void Each(Metric metric, Func<ResourceReport, double?> valueOf)
    {
        _text.Begin(metric);
        foreach (ResourceReport resource in _status.Resources)
        {
            if (valueOf(resource) is { } value)
            {
                _text.Add(value, ("resource", resource.Name));
            }
        }
    }

    private void WriteVolumes()
    {
        EachVolume(KnownMetrics.Size, volume => volume.LengthBytes);
        EachVolume(KnownMetrics.OutOfSync, volume => volume.DirtyBytes);
        EachLoad(KnownMetrics.InWork, load => load.InWork);
        _text.Begin(KnownMetrics.Requests);
        foreach (ResourceReport resource in _status.Resources)
        {
            foreach (VolumeReport volume in resource.Volumes)
            {
                _text.Add(volume.Reads, ("resource", resource.Name), ("volume", volume.Name), ("operation", LoadOperation.Read));
                _text.Add(volume.Writes, ("resource", resource.Name), ("volume", volume.Name), ("operation", LoadOperation.Write));
            }
        }

        EachLoad(KnownMetrics.ReadBytes, load => load.ReadBytes);
        EachLoad(KnownMetrics.WrittenBytes, load => load.WrittenBytes);
    }

    private void EachVolume(Metric metric, Func<VolumeReport, double> valueOf)
    {
        _text.Begin(metric);
        foreach (ResourceReport resource in _status.Resources)
        {
            foreach (VolumeReport volume in resource.Volumes)
            {
                _text.Add(valueOf(volume), ("resource", resource.Name), ("volume", volume.Name));
            }
        }
    }

    private void EachLoad(Metric metric, Func<VolumeLoadReport, double> valueOf)
    {
        _text.Begin(metric);
        foreach (VolumeLoadReport load in _load.Volumes)
        {
            _text.Add(valueOf(load), ("resource", load.Resource), ("volume", load.Volume));
        }
    }

    private void WriteTimes()
    {
        _text.Begin(KnownMetrics.Total);
        foreach (VolumeLoadReport load in _load.Volumes)
        {
            foreach (StageTimesReport times in load.Times.Where(times => times.Stage == LoadStage.Total))
            {
                Histogram(times, ("resource", load.Resource), ("volume", load.Volume), ("operation", times.Operation));
            }
        }

        _text.Begin(KnownMetrics.Stage);
        foreach (VolumeLoadReport load in _load.Volumes)
        {
            foreach (StageTimesReport times in load.Times.Where(times => times.Stage != LoadStage.Total))
            {
                Histogram(times, ("resource", load.Resource), ("volume", load.Volume), ("operation", times.Operation),
                    ("stage", times.Stage));
            }
        }
    }

    private void Histogram(StageTimesReport times, params (string, string)[] labels)
    {
        foreach (long bound in s_boundsMicroseconds)
        {
            string le = (bound / 1e6m).ToString(System.Globalization.CultureInfo.InvariantCulture);
            _text.Add("_bucket", times.Counts.Where(each => each.UpToMicroseconds <= bound).Sum(each => each.Count),
                [.. labels, ("le", le)]);
        }

        long count = times.Counts.Sum(each => each.Count);
        _text.Add("_bucket", count, [.. labels, ("le", "+Inf")]);
        _text.Add("_sum", times.SumMicroseconds / 1e6, labels);
        _text.Add("_count", count, labels);
    }
}
