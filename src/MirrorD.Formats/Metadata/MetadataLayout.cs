namespace MirrorD.Formats.Metadata;

/// <summary>
/// Where the parts of a volume's metadata lie, in bytes from the begin of the metadata area:
/// two superblock slots, the ring of activity-log transactions, the pages of the dirty map.
/// Every part is made of blocks of 4096 bytes. Described in docs/internals/metadata-layout.md.
/// </summary>
public sealed class MetadataLayout
{
    /// <summary>Bytes of every metadata block, and of a block of the dirty map.</summary>
    public const int BlockBytes = MetadataBlock.LengthBytes;

    /// <summary>Superblock slots.</summary>
    public const int SuperblockSlots = 2;

    /// <summary>Transactions in the ring of the activity log.</summary>
    public const int LogSlots = 64;

    /// <summary>Largest volume, 256 TiB: keeps extents within 32 bits and the map within one array.</summary>
    public const long MaximumDataBytes = 1L << 48;

    /// <summary>Computes the layout.</summary>
    /// <param name="dataBytes">Size of the mirrored data.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or above
    /// <see cref="MaximumDataBytes"/>.</exception>
    public MetadataLayout(long dataBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dataBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dataBytes, MaximumDataBytes);
        DataBytes = dataBytes;
        long blocks = (dataBytes - 1) / BlockBytes + 1;
        PageCount = (int)((blocks - 1) / DirtyPageCodec.BlocksPerPage + 1);
    }

    /// <summary>Size of the mirrored data.</summary>
    public long DataBytes { get; }

    /// <summary>Pages of the dirty map.</summary>
    public int PageCount { get; }

    /// <summary>Where the ring of the activity log begins.</summary>
    public static long LogOffset => SuperblockSlots * BlockBytes;

    /// <summary>Where the pages of the dirty map begin.</summary>
    public static long PagesOffset => LogOffset + LogSlots * BlockBytes;

    /// <summary>Length of the metadata area.</summary>
    public long TotalBytes => PagesOffset + (long)PageCount * BlockBytes;

    /// <summary>Where a superblock slot lies.</summary>
    public static long SuperblockOffset(int slot)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)slot, (uint)SuperblockSlots,
            nameof(slot));
        return (long)slot * BlockBytes;
    }

    /// <summary>The ring slot of a transaction.</summary>
    public static int LogSlot(ulong sequence) => (int)(sequence % LogSlots);

    /// <summary>Where a transaction of the activity log lies.</summary>
    public static long LogSlotOffset(ulong sequence) => LogOffset + (long)LogSlot(sequence) * BlockBytes;

    /// <summary>Where a page of the dirty map lies.</summary>
    public long PageOffset(int page)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)page, (uint)PageCount, nameof(page));
        return PagesOffset + (long)page * BlockBytes;
    }
}
