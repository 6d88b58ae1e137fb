using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MirrorD.Formats.Peer;

/// <summary>
/// Tags of the payloads of one direction of a connection that is not encrypted: AES-128-GMAC (NIST SP 800-38D) of the payload
/// under a key of this connection and direction; the nonce is the frame's number, so that none is used twice. Used by one
/// thread; allocates nothing.
/// </summary>
public sealed class PayloadSealer : IDisposable
{
    /// <summary>Bytes of the key.</summary>
    public const int KeyBytes = 16;

    private readonly AesGcm _gcm;

    /// <summary>Begins with frame 0.</summary>
    public PayloadSealer(ReadOnlySpan<byte> key) => _gcm = new AesGcm(key, PayloadTag.Bytes);

    /// <summary>Tag of the payload of the frame with this number.</summary>
    public PayloadTag TagOf(ReadOnlySpan<byte> payload, ulong frameNumber)
    {
        Span<byte> nonce = stackalloc byte[12];
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce[4..], frameNumber);
        Span<byte> tag = stackalloc byte[PayloadTag.Bytes];
        _gcm.Encrypt(nonce, default, default, tag, payload);
        return PayloadTag.Read(tag);
    }

    /// <summary>True when the tag is that of this payload; takes the same time wherever they differ.</summary>
    public bool Fits(in PayloadTag tag, ReadOnlySpan<byte> payload, ulong frameNumber)
    {
        PayloadTag right = TagOf(payload, frameNumber);
        return ((right.First ^ tag.First) | (right.Last ^ tag.Last)) == 0;
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose() => _gcm.Dispose();
}
