using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Workload;

/// <summary>
/// Where clients read and write: a few small regions spread over the extents of each volume, so that requests
/// overlap and yet touch many extents.
/// </summary>
public sealed class Hotspots
{
    private const int RegionBytes = 128 * 1024;
    private const int LongestBytes = 64 * 1024;

    private readonly long[][] _regions;
    private readonly (long Offset, long LengthBytes)[] _latest;
    private readonly bool _readsBack;

    /// <summary>Draws the regions.</summary>
    public Hotspots(SeededRandom random, Scenario scenario)
    {
        _regions = new long[scenario.Volumes][];
        _latest = new (long, long)[scenario.Volumes];
        _readsBack = scenario.Mode == ReplicationMode.Async;
        for (int volume = 0; volume < scenario.Volumes; volume++)
        {
            int count = (int)random.Between(3, 14);
            _regions[volume] = [.. Enumerable.Range(0, count)
                .Select(_ => random.Below((scenario.VolumeBytes - scenario.ReservedBytes - RegionBytes) / 4096 + 1) * 4096)];
            if (scenario.StartBytes > 0)
            {
                // Also across the place where the volume ends at first.
                _regions[volume][0] = Math.Min(scenario.StartBytes - RegionBytes / 2, scenario.VolumeBytes - RegionBytes);
            }
        }
    }

    /// <summary>
    /// Draws a range for this operation. In mode async reads are often of what was written last: of nothing else a read may
    /// show what the peer lacks.
    /// </summary>
    public (long Offset, long LengthBytes) DrawFor(
        VolumeOperation operation, SeededRandom random, int volume, int blockBytes, long sizeBytes)
    {
        bool isRead = operation == VolumeOperation.Read;
        if (isRead && _readsBack && _latest[volume].LengthBytes > 0 && random.Percent(60))
        {
            return _latest[volume];
        }

        (long Offset, long LengthBytes) drawn = Draw(random, volume, blockBytes, sizeBytes);
        _latest[volume] = isRead ? _latest[volume] : drawn;
        return drawn;
    }

    /// <summary>Draws a range within the present size; most are short and fall into the first regions.</summary>
    public (long Offset, long LengthBytes) Draw(SeededRandom random, int volume, int blockBytes, long sizeBytes)
    {
        long[] regions = _regions[volume];
        long region = regions[Math.Min(random.Below(regions.Length), random.Below(regions.Length))];
        int longest = random.Below(4) switch { 0 => LongestBytes, 1 => 16384, _ => 4096 };
        long length = (1 + random.Below(Math.Max(1, longest / blockBytes))) * (long)blockBytes;
        if (random.Percent(40))
        {
            length = (length + 4095) / 4096 * 4096;
        }

        long room = RegionBytes - length;
        long unit = random.Percent(50) ? 4096 : blockBytes;
        long offset = region + random.Below(room / unit + 1) * unit;
        return (offset + length <= sizeBytes ? offset : offset % (sizeBytes - length) / unit * unit, length);
    }
}
