using MirrorD.Core.Metadata;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Metadata;

/// <summary>The steps that write, and what is said when something is wrong.</summary>
internal sealed partial class MetadataLoader
{
    private const string DiskRemedy = "Check the disk and the kernel log; replace the disk if it fails.";

    private string Place => $"{_volume.Metadata.Name} at byte {_area.Offset}";

    /// <summary>
    /// A move to the end of the disk was cut after its new superblock: the old one must never count again. Once the volume
    /// has grown its place belongs to the data, and was wiped before.
    /// </summary>
    private void WipeFormer()
    {
        if (_volume.Former is not { } former || former.MetadataOffset >= _area.Offset
            || _superblock!.DataBytes > former.MetadataOffset)
        {
            ReadLog();
            return;
        }

        _buffer.Span.Clear();
        var old = new MetadataArea(_area.Disk, former.MetadataOffset, former.MetadataBytes);
        new MetadataIo(_loop, old).WriteDurably(0, _buffer.Slice(0, (int)MetadataLayout.LogOffset), error =>
        {
            if (error != 0)
            {
                Fail($"writing to {_volume.Metadata.Name} at byte {former.MetadataOffset} failed with errno {error}", DiskRemedy);
                return;
            }

            ReadLog();
        });
    }

    private void Activate()
    {
        bool isTrusted = _reading!.IsTrusted && TryMark(_reading.Extents, _map!);
        bool isEmpty = isTrusted && _reading.Extents.Count == 0;
        if (!isTrusted)
        {
            _map!.MarkAll();
        }

        _pages.Begin(_superblock!.VolumeIndex, _layout!);
        _log.Begin(_superblock.VolumeIndex, _reading.Sequence);
        _pages.Store(_map!, error =>
        {
            if (error != 0)
            {
                Fail($"writing the dirty map to {Place} failed with errno {error}", DiskRemedy);
            }
            else if (isTrusted)
            {
                EmptyLog(isEmpty);
            }
            else
            {
                ClearLog();
            }
        });
    }

    /// <summary>False when an extent lies outside the volume: then the log can't be believed.</summary>
    private bool TryMark(IReadOnlyList<uint> extents, DirtyMap map)
    {
        foreach (uint extent in extents)
        {
            long offset = extent * (long)_superblock!.ExtentBytes;
            if (offset >= _superblock.DataBytes)
            {
                return false;
            }

            map.MarkRange(offset, Math.Min(_superblock.ExtentBytes, _superblock.DataBytes - offset));
        }

        return true;
    }

    /// <summary>
    /// Damaged slots of a log that is not trusted would make it not trusted again next time.
    /// </summary>
    private void ClearLog()
    {
        _buffer.Span.Clear();
        _io.WriteDurably(MetadataLayout.LogOffset, _buffer.Slice(0, ActivityLogRing.LengthBytes), error =>
        {
            if (error != 0)
            {
                Fail($"writing the activity log to {Place} failed with errno {error}", DiskRemedy);
                return;
            }

            EmptyLog(wasEmpty: false);
        });
    }

    private void EmptyLog(bool wasEmpty) => _log.Store([], error =>
    {
        if (error != 0)
        {
            Fail($"writing the activity log to {Place} failed with errno {error}", DiskRemedy);
            return;
        }

        _done(new MetadataLoad(_superblock, _map, !wasEmpty, null));
    });

    private string? WhyNotThisVolume(Superblock superblock)
    {
        long room = ReferenceEquals(_volume.Data, _volume.Metadata)
            ? _area.Offset
            : _volume.Data.LengthBytes;
        long needed = new MetadataLayout(superblock.DataBytes).TotalBytes;
        if (superblock.VolumeName != _volume.Name)
        {
            return $"{Place} holds the metadata of volume {superblock.VolumeName}, not {_volume.Name}";
        }

        if (superblock.DataBytes > room)
        {
            return $"{_volume.Data.Name} has room for {room} bytes of data, not for the volume's "
                + $"{superblock.DataBytes}";
        }

        return needed > _area.LengthBytes
            ? $"the metadata area of {_area.LengthBytes} bytes on {Place} is shorter than the {needed} "
                + "needed"
            : null;
    }

    private void FailWithoutSuperblock()
    {
        if (_slots.All(slot => slot.Error is MetadataError.Empty or MetadataError.BadMagic))
        {
            Fail($"there is no metadata on {Place}",
                "Make it with `mirrorctl create`; if it was there before, the device has another size or "
                + "order now.");
            return;
        }

        string slots = string.Join(", ", _slots.Select((slot, index) =>
            $"slot {index}: {slot.Error}{(slot.Field is null ? "" : " " + slot.Field)}"));
        Fail($"no intact superblock on {Place} ({slots})",
            "Restore it from a dump with `mirrorctl inspect`, or make it anew with `mirrorctl create` and "
            + "take everything from the peer.");
    }

    private void Fail(string what, string remedy) => _done(new MetadataLoad(
        null, null, false, $"MetadataDamaged: volume {_volume.Name}: {what}. {remedy}"));
}
