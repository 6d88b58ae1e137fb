namespace MirrorD.Formats.Metadata;

/// <summary>Finds the newest transaction of a ring.</summary>
public static class ActivityLogRing
{
    /// <summary>Bytes of the whole ring.</summary>
    public const int LengthBytes = MetadataLayout.LogSlots * ActivityLogCodec.LengthBytes;

    /// <summary>
    /// The intact transaction with the highest number wins. A slot after it that is torn is the write that
    /// power loss interrupted: no data write has yet relied on it, so the one before it is right. A second
    /// damaged slot after that one can't come from one interrupted write, and a ring without any intact
    /// transaction is not what formatting leaves: then the log is not trusted.
    /// </summary>
    /// <param name="ring"><see cref="LengthBytes"/> bytes; slots that could not be read are filled with
    /// 0xff.</param>
    /// <param name="volumeIndex">The volume expected.</param>
    public static ActivityLogReading Recover(ReadOnlySpan<byte> ring, int volumeIndex)
    {
        if (ring.Length != LengthBytes)
        {
            throw new ArgumentException($"The ring has {LengthBytes} bytes, not {ring.Length}.",
                nameof(ring));
        }

        Span<uint> extents = stackalloc uint[ActivityLogCodec.MaximumExtents];
        Span<bool> damaged = stackalloc bool[MetadataLayout.LogSlots];
        ulong newest = 0;
        uint[] active = [];
        int damagedSlots = 0;
        for (int slot = 0; slot < MetadataLayout.LogSlots; slot++)
        {
            MetadataError error = Read(ring, slot, volumeIndex, out ulong sequence, extents, out int count);
            damaged[slot] = error is not MetadataError.None and not MetadataError.Empty;
            damagedSlots += damaged[slot] ? 1 : 0;
            if (error == MetadataError.None && sequence > newest)
            {
                newest = sequence;
                active = extents[..count].ToArray();
            }
        }

        bool trusted = newest > 0
            && !(damaged[MetadataLayout.LogSlot(newest + 1)] && damaged[MetadataLayout.LogSlot(newest + 2)]);
        return new(newest, active, damagedSlots, trusted);
    }

    /// <summary>Reads one slot; a transaction that belongs into another slot is misplaced.</summary>
    public static MetadataError Read(
        ReadOnlySpan<byte> ring, int slot, int volumeIndex, out ulong sequence, Span<uint> extents,
        out int count)
    {
        ReadOnlySpan<byte> block =
            ring.Slice(slot * ActivityLogCodec.LengthBytes, ActivityLogCodec.LengthBytes);
        MetadataError error = ActivityLogCodec.Decode(block, volumeIndex, out sequence, extents, out count);
        return error == MetadataError.None && MetadataLayout.LogSlot(sequence) != slot
            ? MetadataError.Misplaced
            : error;
    }
}
