namespace MirrorD.Formats.Metadata;

/// <summary>Where data and metadata of a volume lie. All values are bytes and multiples of 4096.</summary>
/// <param name="DataBytes">Size of the mirrored data, which begins at byte 0 of the backing device.</param>
/// <param name="MetadataOffset">First byte of the metadata area on the device or file that holds it.</param>
/// <param name="MetadataBytes">Length of the metadata area.</param>
public readonly record struct MetadataPlacement(long DataBytes, long MetadataOffset, long MetadataBytes)
{
    /// <summary>Smallest device that holds one block of data and its metadata.</summary>
    public static long MinimumInternalBytes => MetadataLayout.BlockBytes + new MetadataLayout(1).TotalBytes;

    /// <summary>
    /// Metadata at the end of the backing device, after the largest data area that leaves room for it.
    /// Depends on the device's size only, so that it is found again with nothing else known.
    /// </summary>
    /// <param name="deviceBytes">Size of the device; a rest that fills no block is left unused.</param>
    /// <exception cref="ArgumentOutOfRangeException">The device is too small or too large.</exception>
    public static MetadataPlacement Internal(long deviceBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(deviceBytes, MinimumInternalBytes);
        const int fixedBlocks = MetadataLayout.SuperblockSlots + MetadataLayout.LogSlots;
        long blocks = deviceBytes / MetadataLayout.BlockBytes - fixedBlocks;

        // Each page takes one block and describes BlocksPerPage others.
        long pages = (blocks - 1) / (DirtyPageCodec.BlocksPerPage + 1) + 1;
        long dataBytes = (blocks - pages) * MetadataLayout.BlockBytes;
        long metadataBytes = new MetadataLayout(dataBytes).TotalBytes;
        long end = deviceBytes / MetadataLayout.BlockBytes * MetadataLayout.BlockBytes;
        return new MetadataPlacement(dataBytes, end - metadataBytes, metadataBytes);
    }

    /// <summary>Metadata in a file or device of its own, from its byte 0; the whole device is data.</summary>
    /// <param name="deviceBytes">Size of the data device; a rest that fills no block is left unused.</param>
    /// <exception cref="ArgumentOutOfRangeException">The device is too small or too large.</exception>
    public static MetadataPlacement External(long deviceBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(deviceBytes, MetadataLayout.BlockBytes);
        long dataBytes = deviceBytes / MetadataLayout.BlockBytes * MetadataLayout.BlockBytes;
        return new MetadataPlacement(dataBytes, 0, new MetadataLayout(dataBytes).TotalBytes);
    }
}
