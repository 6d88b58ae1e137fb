using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// What a newstyle server says first.
/// <code>
///  0  8  "NBDMAGIC"
///  8  8  "IHAVEOPT"
/// 16  2  handshake flags
/// </code>
/// </summary>
/// <param name="Flags">What the server offers.</param>
public readonly record struct NbdGreeting(NbdHandshakeFlags Flags)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 18;

    /// <summary>Bytes of the client's answer: its 32-bit flags.</summary>
    public const int ClientFlagsSizeBytes = 4;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, NbdMagic.Greeting);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], NbdMagic.Option);
        BinaryPrimitives.WriteUInt16BigEndian(to[16..], (ushort)Flags);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes; false when a magic is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, out NbdGreeting greeting)
    {
        greeting = new NbdGreeting((NbdHandshakeFlags)BinaryPrimitives.ReadUInt16BigEndian(from[16..]));
        return BinaryPrimitives.ReadUInt64BigEndian(from) == NbdMagic.Greeting
            && BinaryPrimitives.ReadUInt64BigEndian(from[8..]) == NbdMagic.Option;
    }
}
