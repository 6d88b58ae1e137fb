namespace MirrorD.Flood;

/// <summary>What strangers say: of eleven one says random bytes, five the beginning of a ClientHello and five nothing.</summary>
public static class Words
{
    // RFC 8446: a record with a handshake message that never ends.
    private static readonly byte[] s_halfAHello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. new byte[100]];

    /// <summary>What the n-th one says.</summary>
    public static byte[] Of(int number) => (number % 11) switch
    {
        0 => Random(number),
        < 6 => s_halfAHello,
        _ => [],
    };

    private static byte[] Random(int number)
    {
        byte[] words = new byte[200];
        new Random(number).NextBytes(words);
        return words;
    }
}
