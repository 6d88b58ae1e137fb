using MirrorD.Core;
using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Metadata;

/// <content>Room for more data, on a disk that was enlarged.</content>
public sealed partial class VolumeMetadataStore
{
    /// <summary>The most data that the volume can have with its metadata where it is.</summary>
    public long RoomBytes => _volume.IsInternal
        ? Math.Min(_area.Offset, DataBytesOf(_area.LengthBytes))
        : Math.Min(Whole(_volume.Data.LengthBytes), DataBytesOf(_volume.Metadata.LengthBytes));

    /// <summary>
    /// Looks at the disks again: the most data that the volume can have after <see cref="MakeRoom"/>.
    /// </summary>
    /// <param name="obstacle">What is in the way of all the disk's room, and the remedy; null: nothing.</param>
    public long FindRoom(out string? obstacle)
    {
        _volume.Data.LookAgain();
        _volume.Metadata.LookAgain();
        obstacle = null;
        if (_volume.IsInternal)
        {
            return FindInternalRoom(out obstacle);
        }

        long data = Math.Min(Whole(_volume.Data.LengthBytes), MetadataLayout.MaximumDataBytes);
        if (data > RoomBytes)
        {
            long needed = new MetadataLayout(data).TotalBytes;
            obstacle = $"{_volume.Metadata.Name} is too short for the metadata of {data} bytes: enlarge it to {needed} bytes "
                + $"(fallocate -l {needed} {_volume.Metadata.Name}), then run the command again";
        }

        return RoomBytes;
    }

    /// <summary>
    /// Puts the metadata where the volume can have so much data. A crash on the way leaves it readable, where it was or at
    /// the end of the disk. What is stored meanwhile waits, and goes to the new place.
    /// </summary>
    /// <param name="dataBytes">At most what <see cref="FindRoom"/> said.</param>
    /// <param name="made">Called later with 0 or an errno; after an error the disk can't be trusted.</param>
    public void MakeRoom(long dataBytes, Action<int> made)
    {
        Invariant.Require(_isLoaded, "metadata is loaded before it is moved");
        if (!_volume.IsInternal)
        {
            _area.Relocate(0, _volume.Metadata.LengthBytes);
        }

        if (dataBytes <= RoomBytes)
        {
            _loop.Post(() => made(0));
            return;
        }

        MetadataPlacement place = MetadataPlacement.Internal(_volume.Data.LengthBytes);
        Invariant.Require(dataBytes <= place.DataBytes, "there is room for what was found to have room");
        MetadataMove.Begin(
            _loop, _area, place.MetadataOffset, place.MetadataBytes, new MetadataLayout(Latest.DataBytes).TotalBytes, error =>
            {
                if (error == 0)
                {
                    _volume.MetadataPlaced?.Invoke(_area.Offset);
                }

                made(error);
            });
    }

    /// <summary>The volume as it has to be opened anew: a disk that was enlarged has its metadata elsewhere than at first.</summary>
    public VolumeOptions Reopened()
    {
        _volume.Data.LookAgain();
        if (!_volume.IsInternal)
        {
            return _volume with { MetadataBytes = _area.LengthBytes };
        }

        MetadataPlacement place = MetadataPlacement.Internal(_volume.Data.LengthBytes);
        return _volume with
        {
            MetadataOffset = place.MetadataOffset,
            MetadataBytes = place.MetadataBytes,
            Former = new MetadataPlacement(_area.Offset, _area.Offset, _area.LengthBytes),
        };
    }

    /// <summary>The metadata moves to the end of the disk, and never onto itself: a crash would leave a mixture.</summary>
    private long FindInternalRoom(out string? obstacle)
    {
        obstacle = null;
        long end = _area.Offset + _area.LengthBytes;
        long length = Math.Min(_volume.Data.LengthBytes, MetadataLayout.MaximumDataBytes);
        if (length < end + MetadataLayout.BlockBytes)
        {
            return RoomBytes;
        }

        MetadataPlacement place = MetadataPlacement.Internal(length);
        if (place.MetadataOffset >= end)
        {
            return place.DataBytes;
        }

        if (place.MetadataOffset > _area.Offset)
        {
            long needed = end + MetadataPlacement.Internal(end + length).MetadataBytes;
            obstacle = $"{_volume.Data.Name} has grown by less than the length of its metadata, which is not moved onto itself: "
                + $"enlarge it to at least {needed} bytes, then run the command again";
        }

        return RoomBytes;
    }

    private static long Whole(long bytes) => bytes / MetadataLayout.BlockBytes * MetadataLayout.BlockBytes;

    /// <summary>The most data that the pages of an area of this length describe.</summary>
    private static long DataBytesOf(long areaBytes) =>
        Math.Max(0, areaBytes - MetadataLayout.PagesOffset) / MetadataLayout.BlockBytes
        * DirtyPageCodec.BlocksPerPage * MetadataLayout.BlockBytes;
}
