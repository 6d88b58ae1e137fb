using System.Buffers.Binary;
using MirrorD.Formats.Metadata;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>
/// Many blocks of 4096 bytes as a short input: for each block its place in one byte, a length as u16 and so many bytes from
/// its begin; the rest of the block is zeroes.
/// </summary>
internal static class Blocks
{
    public static byte[] Write(IEnumerable<(int Place, byte[] Bytes)> blocks, bool seal = false)
    {
        var input = new List<byte>();
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        foreach ((int place, byte[] bytes) in blocks)
        {
            byte[] trimmed = Bytes.Trimmed(seal && bytes.Length > 8 ? Samples.Sealed(bytes) : bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)trimmed.Length);
            input.Add((byte)place);
            input.AddRange(length);
            input.AddRange(trimmed);
        }

        return [.. input];
    }

    /// <summary>Reads them; whatever is too long is cut, so that each input means something.</summary>
    public static List<(int Place, byte[] Bytes)> Read(ReadOnlySpan<byte> input, int places)
    {
        var blocks = new List<(int Place, byte[] Bytes)>();
        while (input.Length >= 3)
        {
            int length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(input[1..]), input.Length - 3);
            blocks.Add((input[0] % places, input.Slice(3, Math.Min(length, MetadataLayout.BlockBytes)).ToArray()));
            input = input[(3 + length)..];
        }

        return blocks;
    }
}
