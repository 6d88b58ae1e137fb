using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <summary>
/// Reads a volume's metadata and activates it. In this order, each step durable before the next:
/// flush (what a killed process left in the disk's cache must not be taken for stored), superblock slots made
/// equal, what a move left at the former place wiped, activity log into the dirty map, an empty transaction.
/// On a disk that was enlarged the metadata lies at the end, if it was moved there, or else where it lay before.
/// </summary>
internal sealed partial class MetadataLoader : IDisposable
{
    private readonly IIoLoop _loop;
    private readonly VolumeOptions _volume;
    private readonly MetadataArea _area;
    private readonly MetadataIo _io;
    private readonly SuperblockWriter _superblocks;
    private readonly ActivityLogWriter _log;
    private readonly DirtyPageWriter _pages;
    private readonly Action<MetadataLoad> _done;
    private readonly IoBuffer _buffer = new(ActivityLogRing.LengthBytes);
    private readonly SuperblockReading[] _slots = new SuperblockReading[MetadataLayout.SuperblockSlots];
    private Superblock? _superblock;
    private Superblock? _atEnd;
    private MetadataPlacement _end;
    private bool _isPlaceKnown;
    private MetadataLayout? _layout;
    private DirtyMap? _map;
    private ActivityLogReading? _reading;

    public MetadataLoader(
        IIoLoop loop, VolumeOptions volume, MetadataArea area, MetadataIo io, SuperblockWriter superblocks, ActivityLogWriter log,
        DirtyPageWriter pages, Action<MetadataLoad> done)
    {
        _loop = loop;
        _volume = volume;
        _area = area;
        _io = io;
        _superblocks = superblocks;
        _log = log;
        _pages = pages;
        _done = done;
    }

    public void Start() => _io.Flush(error =>
    {
        if (error != 0)
        {
            Fail($"flushing {_volume.Metadata.Name} failed with errno {error}", DiskRemedy);
            return;
        }

        ReadSuperblock(0);
    });

    public void Dispose() => _buffer.Dispose();

    private void ReadSuperblock(int slot)
    {
        BufferSlice into = _buffer.Slice(slot * SuperblockCodec.LengthBytes, SuperblockCodec.LengthBytes);
        _io.Read(MetadataLayout.SuperblockOffset(slot), into, error =>
        {
            // A slot that can't be read is as good as a damaged one: the other one may do.
            if (Canary.Breaks(BrokenRule.TornSlotAccepted))
            {
                DirtyPageCodec.Seal(into.Span);
            }

            _slots[slot] = error == 0
                ? SuperblockCodec.TryDecode(into.Span)
                : new SuperblockReading(null, MetadataError.BadChecksum);
            if (slot + 1 < MetadataLayout.SuperblockSlots)
            {
                ReadSuperblock(slot + 1);
            }
            else
            {
                ChooseSuperblock();
            }
        });
    }

    private void ChooseSuperblock()
    {
        // Once the volume has grown over its former place, what lies there is data of clients.
        bool isData = _atEnd is not null && _atEnd.DataBytes > _area.Offset;
        if (!isData && _slots.Any(slot => slot.Error == MetadataError.UnsupportedVersion))
        {
            Fail($"{Place} was written by a later version of mirrord", "Install that version again.");
            return;
        }

        int newest = (_slots[1].Superblock?.Sequence ?? 0) > (_slots[0].Superblock?.Sequence ?? 0) ? 1 : 0;
        _superblock = _slots[newest].Superblock ?? _slots[1 - newest].Superblock;
        if (!_isPlaceKnown && LooksElsewhere())
        {
            ReadSuperblock(0);
            return;
        }

        if (_superblock is null)
        {
            FailWithoutSuperblock();
            return;
        }

        newest = ReferenceEquals(_superblock, _slots[0].Superblock) ? 0 : 1;
        if (WhyNotThisVolume(_superblock) is { } reason)
        {
            Fail(reason, "Check the configuration; `mirrorctl inspect` prints what the device holds.");
            return;
        }

        _layout = new MetadataLayout(_superblock.DataBytes);
        _map = new DirtyMap(_superblock.DataBytes);
        _superblocks.Begin(_superblock, _superblock.Sequence);
        BufferSlice one = Slot(newest);
        BufferSlice other = Slot(1 - newest);
        if (one.Span.SequenceEqual(other.Span))
        {
            WipeFormer();
            return;
        }

        _io.WriteDurably(MetadataLayout.SuperblockOffset(1 - newest), one, error =>
        {
            if (error != 0)
            {
                Fail($"writing the superblock to {Place} failed with errno {error}", DiskRemedy);
                return;
            }

            WipeFormer();
        });
    }

    /// <summary>
    /// Whether the superblocks of another place have to be read now: of the former one, to compare, or again of the end.
    /// </summary>
    private bool LooksElsewhere()
    {
        if (_atEnd is null)
        {
            // A disk that was made shorter has its former place beyond its end.
            bool isAtEnd = _superblock is not null;
            if (_volume.Former is not { } former || former.MetadataOffset == _area.Offset
                || (isAtEnd && former.MetadataOffset > _area.Offset))
            {
                return false;
            }

            _atEnd = _superblock;
            _isPlaceKnown = !isAtEnd;
            _end = new MetadataPlacement(_area.Offset, _area.Offset, _area.LengthBytes);
            _area.Relocate(former.MetadataOffset, former.MetadataBytes);
            return true;
        }

        _isPlaceKnown = true;
        if (_superblock is not null && !IsMovedFrom(_superblock))
        {
            return false;
        }

        _area.Relocate(_end.MetadataOffset, _end.MetadataBytes);
        return true;
    }

    /// <summary>
    /// What lies at the end of the disk is this volume's, moved there, and not left by an earlier life of the disk, which
    /// had this size before. Metadata is never moved onto itself, and a volume never shrinks.
    /// </summary>
    private bool IsMovedFrom(Superblock former) => _area.Offset + _area.LengthBytes <= _end.MetadataOffset
        && _atEnd!.ResourceId == former.ResourceId && _atEnd.VolumeIndex == former.VolumeIndex
        && _atEnd.VolumeName == former.VolumeName && _atEnd.Node == former.Node
        && (_atEnd.Sequence >= former.Sequence
            || (_atEnd.ResourceId != Guid.Empty && _atEnd.DataBytes > _area.Offset));

    private BufferSlice Slot(int slot) =>
        _buffer.Slice(slot * SuperblockCodec.LengthBytes, SuperblockCodec.LengthBytes);

    private void ReadLog() => ReadBlocks(
        MetadataLayout.LogOffset, MetadataLayout.LogSlots,
        () =>
        {
            _reading = ActivityLogRing.Recover(_buffer.Span, _superblock!.VolumeIndex);
            ReadPages(0);
        });

    private void ReadPages(int first)
    {
        int count = Math.Min(MetadataLayout.LogSlots, _layout!.PageCount - first);
        if (count == 0)
        {
            Activate();
            return;
        }

        ReadBlocks(_layout.PageOffset(first), count, () =>
        {
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<byte> block = _buffer.Span.Slice(
                    i * DirtyPageCodec.LengthBytes, DirtyPageCodec.LengthBytes);
                MetadataError error = DirtyPageCodec.Decode(
                    block, first + i, _superblock!.VolumeIndex, out ReadOnlySpan<byte> bits);
                if (error == MetadataError.None)
                {
                    _map!.LoadPage(first + i, bits);
                }
                else if (!Canary.Breaks(BrokenRule.DamagedPageReadAsClean))
                {
                    _map!.MarkPageDirty(first + i);
                }
            }

            ReadPages(first + count);
        });
    }

    /// <summary>Reads blocks into the begin of the buffer; those that can't be read become 0xff.</summary>
    private void ReadBlocks(long offset, int blocks, Action then)
    {
        _io.Read(offset, _buffer.Slice(0, blocks * MetadataLayout.BlockBytes), error =>
        {
            if (error == 0)
            {
                then();
            }
            else
            {
                ReadBlockByBlock(offset, 0, blocks, then);
            }
        });
    }

    private void ReadBlockByBlock(long offset, int block, int blocks, Action then)
    {
        if (block == blocks)
        {
            then();
            return;
        }

        BufferSlice into = _buffer.Slice(block * MetadataLayout.BlockBytes, MetadataLayout.BlockBytes);
        _io.Read(offset + block * MetadataLayout.BlockBytes, into, error =>
        {
            if (error != 0)
            {
                into.Span.Fill(0xff);
            }

            ReadBlockByBlock(offset, block + 1, blocks, then);
        });
    }
}
