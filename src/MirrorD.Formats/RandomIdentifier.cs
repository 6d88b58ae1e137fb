using System.Security.Cryptography;

namespace MirrorD.Formats;

/// <summary>Generations, sessions, nonces and challenges: nobody can guess the next one, and none is zero.</summary>
public static class RandomIdentifier
{
    /// <summary>Draws one; never zero, which stands for none.</summary>
    public static ulong New()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ulong identifier;
        do
        {
            RandomNumberGenerator.Fill(bytes);
            identifier = BitConverter.ToUInt64(bytes);
        }
        while (identifier == 0);

        return identifier;
    }
}
