namespace MirrorD.Formats.Metadata;

/// <summary>
/// Decodes a metadata area without changing it and without a daemon. Whoever calls it reads the bytes. It
/// comes to the same conclusions as the daemon does when it starts.
/// </summary>
public static class MetadataInspector
{
    /// <summary>Reads and decodes everything.</summary>
    /// <param name="read">Reads from the area; a part that it can't read counts as damaged.</param>
    public static MetadataInspection Inspect(MetadataRead read)
    {
        var slots = new SuperblockReading[MetadataLayout.SuperblockSlots];
        var block = new byte[MetadataLayout.BlockBytes];
        for (int slot = 0; slot < slots.Length; slot++)
        {
            slots[slot] = read(MetadataLayout.SuperblockOffset(slot), block)
                ? SuperblockCodec.TryDecode(block)
                : new SuperblockReading(null, MetadataError.BadChecksum);
        }

        Superblock? superblock = slots.Select(slot => slot.Superblock).MaxBy(found => found?.Sequence);
        if (superblock is null || slots.Any(slot => slot.Error == MetadataError.UnsupportedVersion))
        {
            return new(slots, null, null, []);
        }

        ActivityLogReading log = ActivityLogRing.Recover(ReadRing(read), superblock.VolumeIndex);
        var image = new MetadataImage(
            superblock, Math.Max(1, log.Sequence), log.IsTrusted ? log.Extents : []);
        var damaged = new List<int>();
        for (int page = 0; page < image.Layout.PageCount; page++)
        {
            if (read(image.Layout.PageOffset(page), block)
                && DirtyPageCodec.Decode(block, page, superblock.VolumeIndex, out ReadOnlySpan<byte> bits)
                    == MetadataError.None)
            {
                image.MarkPage(page, bits);
                continue;
            }

            damaged.Add(page);
            long first = (long)page * DirtyPageCodec.BlocksPerPage;
            image.Mark(first, Math.Min(DirtyPageCodec.BlocksPerPage, image.BlockCount - first));
        }

        if (!log.IsTrusted)
        {
            image.Mark(0, image.BlockCount);
        }

        return new(slots, image, log, damaged);
    }

    private static byte[] ReadRing(MetadataRead read)
    {
        var ring = new byte[ActivityLogRing.LengthBytes];
        for (int slot = 0; slot < MetadataLayout.LogSlots; slot++)
        {
            Span<byte> into = ring.AsSpan(slot * ActivityLogCodec.LengthBytes, ActivityLogCodec.LengthBytes);
            if (!read(MetadataLayout.LogOffset + slot * ActivityLogCodec.LengthBytes, into))
            {
                into.Fill(0xff);
            }
        }

        return ring;
    }
}
