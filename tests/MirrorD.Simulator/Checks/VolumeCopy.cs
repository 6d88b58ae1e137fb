using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Checks;

/// <summary>One volume's disks on one node.</summary>
public sealed class VolumeCopy
{
    private readonly AreaReading _seen = new();
    private readonly AreaReading _durable = new();
    private StoredMetadata? _stored;

    /// <summary>Makes the disks.</summary>
    public VolumeCopy(SimulatedWorld world, Scenario scenario, string node, int volume)
    {
        Volume = volume;
        long volumeBytes = scenario.VolumeBytes - (node == "b" ? scenario.LessAtB : 0);
        if (scenario.ExternalMetadata)
        {
            Placement = MetadataPlacement.External(volumeBytes);
            Data = world.CreateDisk(node, $"{node}/data{volume}", volumeBytes, scenario.BlockBytes);
            Metadata = world.CreateDisk(
                node, $"{node}/meta{volume}", Placement.MetadataBytes, scenario.BlockBytes);
        }
        else
        {
            long deviceBytes = volumeBytes + new MetadataLayout(volumeBytes).TotalBytes;
            Placement = MetadataPlacement.Internal(deviceBytes);
            Data = world.CreateDisk(node, $"{node}/data{volume}", deviceBytes, scenario.BlockBytes);
            Metadata = Data;
        }

        Metadata.TearsWithin = (Placement.MetadataOffset, Placement.MetadataBytes);
        SetLatency(Data, scenario);
        SetLatency(Metadata, scenario);
        Metadata.Changed += (offset, length) =>
        {
            if (Data != Metadata || offset + length > Placement.MetadataOffset)
            {
                _stored = null;
                MetadataChanged?.Invoke();
            }
        };
        Data.Changed += (offset, length) =>
        {
            if (offset < Placement.DataBytes)
            {
                DataChanged?.Invoke(offset, Math.Min(length, Placement.DataBytes - offset));
            }
        };
    }

    private static void SetLatency(SimulatedDisk disk, Scenario scenario)
    {
        disk.LatencyNs = (Math.Min(10_000, scenario.DiskNs), scenario.DiskNs);
        disk.FlushLatencyNs = (scenario.DiskNs / 4, scenario.DiskNs * 10);
    }

    /// <summary>Number of the volume.</summary>
    public int Volume { get; }

    /// <summary>The data disk.</summary>
    public SimulatedDisk Data { get; }

    /// <summary>The metadata disk; the same one when internal.</summary>
    public SimulatedDisk Metadata { get; }

    /// <summary>Where data and metadata lie.</summary>
    public MetadataPlacement Placement { get; }

    /// <summary>What is stored now, as a read sees it.</summary>
    public StoredMetadata Stored =>
        _stored ??= _seen.Of(this, area => Metadata.Peek(Placement.MetadataOffset, area));

    /// <summary>What is stored and would survive a power cut now.</summary>
    public StoredMetadata StoredDurably =>
        _durable.Of(this, area => Metadata.PeekDurable(Placement.MetadataOffset, area));

    /// <summary>The size that the volume has by what is stored.</summary>
    public long StoredBytes => Stored.Superblock?.DataBytes ?? 0;

    /// <summary>Told after a change of the metadata.</summary>
    public Action? MetadataChanged { get; set; }

    /// <summary>Told after a change of the data: offset and length.</summary>
    public Action<long, long>? DataChanged { get; set; }

    /// <summary>The volume as the engine opens it.</summary>
    public VolumeOptions Options => new(
        $"volume{Volume}", Data, Metadata, Placement.MetadataOffset, Placement.MetadataBytes);

    /// <summary>
    /// A reading of the metadata area: decoded again only when its bytes have changed, since checks ask for it at each reply.
    /// </summary>
    private sealed class AreaReading
    {
        private byte[] _before = [];
        private byte[] _now = [];
        private StoredMetadata? _decoded;

        public StoredMetadata Of(VolumeCopy copy, PeekArea peek)
        {
            _now = _now.Length == 0 ? new byte[copy.Placement.MetadataBytes] : _now;
            peek(_now);
            if (_decoded is null || !_now.AsSpan().SequenceEqual(_before))
            {
                _decoded = StoredMetadata.Decode(_now, copy.Placement, copy.Volume);
                (_before, _now) = (_now, _before);
            }

            return _decoded;
        }
    }

    private delegate void PeekArea(Span<byte> area);
}
