namespace MirrorD.Fuzz.Targets;

/// <summary>What targets have in common when they make and change inputs.</summary>
internal static class Bytes
{
    /// <summary>Bytes from 1 on, so that each place of a field is told from its neighbours.</summary>
    public static byte[] Counting(int length) => [.. Enumerable.Range(1, length).Select(i => (byte)i)];

    /// <summary>The bytes with zeroes up to a length; longer ones are cut.</summary>
    public static byte[] Padded(ReadOnlySpan<byte> bytes, int length)
    {
        byte[] padded = new byte[length];
        bytes[..Math.Min(bytes.Length, length)].CopyTo(padded);
        return padded;
    }

    /// <summary>The bytes without the zeroes at their end.</summary>
    public static byte[] Trimmed(ReadOnlySpan<byte> bytes) => bytes.TrimEnd((byte)0).ToArray();
}
