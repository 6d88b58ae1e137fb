using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// Writes the metadata of a volume afresh. Old superblocks go first and the new ones come last, so that a
/// device whose formatting was interrupted holds no metadata at all. The data is not touched.
/// </summary>
public sealed class VolumeFormatter : IDisposable
{
    private readonly MetadataIo _io;
    private readonly SuperblockWriter _superblocks;
    private readonly DirtyPageWriter _pages;
    private readonly IoBuffer _buffer = new(ActivityLogRing.LengthBytes);
    private readonly Superblock _initial;
    private readonly DirtyMap _map;
    private readonly Action<int> _done;

    private VolumeFormatter(
        IIoLoop loop, VolumeOptions volume, Superblock initial, bool everythingDirty, Action<int> done)
    {
        var area = new MetadataArea(volume.Metadata, volume.MetadataOffset, volume.MetadataBytes);
        MetadataIo NewIo() => new(loop, area);
        _io = NewIo();
        _superblocks = new SuperblockWriter(NewIo());
        _pages = new DirtyPageWriter(loop, NewIo);
        _initial = initial;
        _done = done;
        _map = new DirtyMap(initial.DataBytes);
        if (everythingDirty)
        {
            _map.MarkAll();
        }

        _map.MarkAllPagesChanged();
        _pages.Begin(initial.VolumeIndex, new MetadataLayout(initial.DataBytes));
        _superblocks.Begin(null, 0);
    }

    /// <summary>Formats; everything is durable when it is done.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="volume">Where; the areas fit the superblock's size.</param>
    /// <param name="initial">The first superblock; it gets the sequence 1.</param>
    /// <param name="everythingDirty">All blocks dirty, else none.</param>
    /// <param name="done">Called later on the loop with 0 or a positive errno.</param>
    public static void Format(
        IIoLoop loop, VolumeOptions volume, Superblock initial, bool everythingDirty, Action<int> done)
    {
        long needed = new MetadataLayout(initial.DataBytes).TotalBytes;
        Invariant.Require(needed <= volume.MetadataBytes, "the metadata fits its area");
        Invariant.Require(
            initial.DataBytes <= (ReferenceEquals(volume.Data, volume.Metadata)
                ? volume.MetadataOffset
                : volume.Data.LengthBytes),
            "the data fits its device");
        new VolumeFormatter(loop, volume, initial, everythingDirty, done).ClearSuperblocks();
    }

    /// <summary>The first superblock of a copy that has never been joined.</summary>
    /// <param name="resource">Resource name.</param>
    /// <param name="volume">Volume name.</param>
    /// <param name="volumeIndex">Number of the volume in the resource.</param>
    /// <param name="node">This node.</param>
    /// <param name="dataBytes">Size of the mirrored data.</param>
    /// <param name="source">Whose data counts.</param>
    /// <param name="current">A fresh generation, the same for all volumes of the resource.</param>
    public static Superblock Initial(
        string resource, string volume, int volumeIndex, NodeId node, long dataBytes, CreationSource source,
        Generation current)
    {
        Invariant.Require(!current.IsNone, "a new copy has a generation");
        return new Superblock
        {
            ResourceId = Guid.Empty,
            ResourceName = resource,
            VolumeIndex = volumeIndex,
            VolumeName = volume,
            Node = node,
            DataBytes = dataBytes,
            Current = current,
            DiskState = source switch
            {
                CreationSource.Self or CreationSource.Empty => DiskState.UpToDate,
                CreationSource.Peer or CreationSource.Unnamed => DiskState.Inconsistent,
            },
            JustCreated = true,
            CreationSource = source,
        };
    }

    /// <summary>Frees the buffers.</summary>
    public void Dispose()
    {
        _superblocks.Dispose();
        _pages.Dispose();
        _buffer.Dispose();
    }

    private void ClearSuperblocks() => _io.WriteDurably(
        MetadataLayout.SuperblockOffset(0),
        _buffer.Slice(0, MetadataLayout.SuperblockSlots * SuperblockCodec.LengthBytes),
        error => Next(error, WriteLog));

    private void WriteLog()
    {
        const ulong first = 1;
        int slot = MetadataLayout.LogSlot(first) * ActivityLogCodec.LengthBytes;
        ActivityLogCodec.Encode(
            _buffer.Span.Slice(slot, ActivityLogCodec.LengthBytes), _initial.VolumeIndex, first, []);
        _io.WriteDurably(
            MetadataLayout.LogOffset,
            _buffer.Slice(0, ActivityLogRing.LengthBytes),
            error => Next(error, WritePages));
    }

    private void WritePages() => _pages.Store(_map, error => Next(error, Flush));

    private void Flush() => _io.Flush(error => Next(error, WriteSuperblocks));

    private void WriteSuperblocks() => _superblocks.Store(_initial, Finish);

    private void Next(int error, Action step)
    {
        if (error != 0)
        {
            Finish(error);
            return;
        }

        step();
    }

    private void Finish(int error)
    {
        Dispose();
        _done(error);
    }
}
