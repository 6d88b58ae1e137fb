using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>
/// The ring of the activity log. Input: for each written slot its number, the length of what follows as u16, and the begin of
/// its block; the rest of the block, and all other slots, are zeroes.
/// </summary>
internal sealed class ActivityLogTarget : FuzzTarget
{
    public override string Name => "activity-log";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Formats/Metadata/ActivityLogCodec.cs", "src/MirrorD.Formats/Metadata/ActivityLogRing.cs"];

    public override IReadOnlyList<byte[]> Words => ["MRDACTLG"u8.ToArray()];

    public override IReadOnlyList<int> Fields =>
        [0, 1, .. ActivityLogCodec.Fields.Select(each => 3 + each.Offset), 71, 75, 79];

    // The ring itself is 256 KiB, made here.
    public override long MostAllocatedBytes(int inputBytes) => 512 * 1024 + 64L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Blocks.Write([(1, Samples.Transaction(1))]);
        yield return Blocks.Write([(1, Samples.Transaction(1, 7)), (2, Samples.Transaction(2, 7, 9, 12))]);
        yield return Blocks.Write(
            [(63, Samples.Transaction(63, 1)), (0, Samples.Transaction(64, 1, 2)), (1, Samples.Sealed([1]))]);
        yield return Blocks.Write([(3, Samples.Transaction(3)), (4, [0xff]), (5, [0xff])]);
    }

    public override byte[] FixUp(byte[] input) => Blocks.Write(Blocks.Read(input, MetadataLayout.LogSlots), seal: true);

    public override void Run(byte[] input)
    {
        byte[] ring = new byte[ActivityLogRing.LengthBytes];
        foreach ((int slot, byte[] bytes) in Blocks.Read(input, MetadataLayout.LogSlots))
        {
            bytes.CopyTo(ring, slot * ActivityLogCodec.LengthBytes);
        }

        ActivityLogReading reading = ActivityLogRing.Recover(ring, 0);
        BrokenProperty.Unless(!reading.IsTrusted || reading.Sequence > 0, "no transaction, no trust");
        BrokenProperty.Unless(
            reading.Extents.Zip(reading.Extents.Skip(1)).All(pair => pair.First < pair.Second), "extents are ascending");
        Span<uint> extents = stackalloc uint[ActivityLogCodec.MaximumExtents];
        int damaged = 0;
        for (int slot = 0; slot < MetadataLayout.LogSlots; slot++)
        {
            ReadOnlySpan<byte> block = ring.AsSpan(slot * ActivityLogCodec.LengthBytes, ActivityLogCodec.LengthBytes);
            MetadataError error = ActivityLogRing.Read(ring, slot, 0, out ulong sequence, extents, out int count);
            damaged += error is MetadataError.None or MetadataError.Empty ? 0 : 1;
            if (error == MetadataError.None)
            {
                BrokenProperty.Unless(sequence <= reading.Sequence, "the newest transaction wins");
                BrokenProperty.Unless((int)(sequence % MetadataLayout.LogSlots) == slot,
                    "a transaction lies in its own slot");
                BrokenProperty.UnlessSame(block, Samples.Transaction(sequence, extents[..count].ToArray()));
            }
        }

        BrokenProperty.Unless(damaged == reading.DamagedSlots, "damaged slots are counted");
    }
}
