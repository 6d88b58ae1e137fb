using System.Buffers.Binary;
using System.Security.Cryptography;
using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

/// <summary>The tags are those of another implementation of AES-GCM's interface, with nothing encrypted.</summary>
public sealed class PayloadSealerTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(131072 + 7)]
    public void Tags_are_aes_128_gmac(int bytes)
    {
        byte[] key = RandomNumberGenerator.GetBytes(PayloadSealer.KeyBytes);
        byte[] payload = RandomNumberGenerator.GetBytes(bytes);
        using var sealer = new PayloadSealer(key);
        using var reference = new AesGcm(key, PayloadTag.Bytes);
        foreach (ulong number in (ulong[])[0, 1, 2, uint.MaxValue, ulong.MaxValue, 1])
        {
            byte[] nonce = new byte[12];
            BinaryPrimitives.WriteUInt64LittleEndian(nonce.AsSpan(4), number);
            byte[] tag = new byte[PayloadTag.Bytes];
            reference.Encrypt(nonce, Array.Empty<byte>(), Array.Empty<byte>(), tag, payload);

            Assert.Equal(PayloadTag.Read(tag), sealer.TagOf(payload, number));
            Assert.True(sealer.Fits(PayloadTag.Read(tag), payload, number));
            tag[(int)(number % 12)] ^= 0x10;
            Assert.False(sealer.Fits(PayloadTag.Read(tag), payload, number));
        }
    }

    [Fact]
    public void A_byte_or_a_number_that_differs_has_another_tag()
    {
        byte[] payload = RandomNumberGenerator.GetBytes(4096);
        using var sealer = new PayloadSealer(RandomNumberGenerator.GetBytes(PayloadSealer.KeyBytes));
        PayloadTag tag = sealer.TagOf(payload, 7);
        Assert.False(sealer.Fits(tag, payload, 8));
        Assert.False(sealer.Fits(tag, payload.AsSpan(1), 7));
        payload[4095] ^= 1;
        Assert.False(sealer.Fits(tag, payload, 7));
    }

    [Fact]
    public void A_key_of_another_length_and_a_use_after_the_end_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PayloadSealer(new byte[15]));
        var sealer = new PayloadSealer(new byte[16]);
        sealer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sealer.TagOf(new byte[16], 1));
    }
}
