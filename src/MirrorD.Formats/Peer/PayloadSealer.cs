using System.Buffers.Binary;
using System.Security.Cryptography;

namespace MirrorD.Formats.Peer;

/// <summary>
/// Tags of the payloads of one direction of a connection that is not encrypted: AES-128-GMAC (NIST SP 800-38D) of the payload
/// under a key of this connection and direction; the nonce is the frame's number, so that none is used twice. Used by one
/// thread; allocates nothing.
/// </summary>
public sealed unsafe class PayloadSealer : IDisposable
{
    /// <summary>Bytes of the key.</summary>
    public const int KeyBytes = 16;

    // Set up once: AesGcm of .NET sets its context up for each message, which takes longer than a tag of 4 KiB.
    private nint _context;

    /// <summary>Begins with frame 0.</summary>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    /// <exception cref="CryptographicException">libcrypto refuses AES-128-GCM.</exception>
    public PayloadSealer(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyBytes);
        _context = LibCrypto.EVP_CIPHER_CTX_new();
        fixed (byte* bytes = key)
        {
            Check(_context != 0 && LibCrypto.EVP_EncryptInit_ex(_context, LibCrypto.EVP_aes_128_gcm(), 0, bytes, null) == 1);
        }
    }

    /// <summary>
    /// Has every function bound that a sealer calls: later, when a link is made or lost, that may have to wait for memory.
    /// </summary>
    /// <exception cref="DllNotFoundException">There is no libcrypto of OpenSSL 3.</exception>
    public static void Bind()
    {
        using var sealer = new PayloadSealer(new byte[KeyBytes]);
        sealer.TagOf([], 0);
    }

    /// <summary>Gives back what was not disposed of.</summary>
    ~PayloadSealer() => Free();

    /// <summary>Tag of the payload of the frame with this number.</summary>
    /// <exception cref="CryptographicException">libcrypto fails, which it has no reason to.</exception>
    /// <exception cref="ObjectDisposedException">Used after it was disposed of.</exception>
    public PayloadTag TagOf(ReadOnlySpan<byte> payload, ulong frameNumber)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        // 96 bits, as the context has it by default.
        byte* nonce = stackalloc byte[12];
        *(uint*)nonce = 0;
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(nonce + 4, 8), frameNumber);
        byte* tag = stackalloc byte[16];
        int length;
        fixed (byte* bytes = payload)
        {
            // Authenticated only, nothing is encrypted: that is GMAC.
            Check(
                LibCrypto.EVP_EncryptInit_ex(_context, 0, 0, null, nonce) == 1
                && LibCrypto.EVP_EncryptUpdate(_context, null, &length, bytes, payload.Length) == 1
                && LibCrypto.EVP_EncryptFinal_ex(_context, tag, &length) == 1
                && LibCrypto.EVP_CIPHER_CTX_ctrl(_context, LibCrypto.EVP_CTRL_AEAD_GET_TAG, PayloadTag.Bytes, tag) == 1);
        }

        GC.KeepAlive(this);
        return PayloadTag.Read(new ReadOnlySpan<byte>(tag, PayloadTag.Bytes));
    }

    /// <summary>True when the tag is that of this payload; takes the same time wherever they differ.</summary>
    public bool Fits(in PayloadTag tag, ReadOnlySpan<byte> payload, ulong frameNumber)
    {
        PayloadTag right = TagOf(payload, frameNumber);
        return ((right.First ^ tag.First) | (right.Last ^ tag.Last)) == 0;
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static void Check(bool hasWorked)
    {
        if (!hasWorked)
        {
            throw new CryptographicException("libcrypto could not compute AES-128-GMAC.");
        }
    }

    private void Free()
    {
        if (_context != 0)
        {
            LibCrypto.EVP_CIPHER_CTX_free(_context);
            _context = 0;
        }
    }
}
