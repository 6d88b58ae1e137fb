using MirrorD.Formats.Nbd;

namespace MirrorD.Formats.Tests.Nbd;

/// <summary>Golden bytes of every NBD structure, written out by hand from the protocol page.</summary>
public sealed class NbdStructTests
{
    [Fact]
    public void The_greeting_has_its_golden_bytes()
    {
        byte[] golden = Golden("4e42444d41474943 49484156454f5054 0003");
        var value = new NbdGreeting(NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes);
        Encodes(golden, NbdGreeting.SizeBytes, value.Encode);
        Assert.True(NbdGreeting.TryDecode(golden, out NbdGreeting read));
        Assert.Equal(value, read);
        RefusesOtherMagic(golden, 16, bytes => NbdGreeting.TryDecode(bytes, out _));
    }

    [Fact]
    public void An_option_has_its_golden_bytes()
    {
        byte[] golden = Golden("49484156454f5054 00000007 01020304");
        var value = new NbdOptionHeader(NbdOption.Go, 0x01020304);
        Encodes(golden, NbdOptionHeader.SizeBytes, value.Encode);
        Assert.True(NbdOptionHeader.TryDecode(golden, out NbdOptionHeader read));
        Assert.Equal(value, read);
        RefusesOtherMagic(golden, 8, bytes => NbdOptionHeader.TryDecode(bytes, out _));
    }

    [Fact]
    public void An_option_reply_has_its_golden_bytes()
    {
        byte[] golden = Golden("0003e889045565a9 0000000a 80000003 00000102");
        var value = new NbdOptionReplyHeader(NbdOption.SetMetaContext, NbdOptionReply.ErrorInvalid, 0x102);
        Encodes(golden, NbdOptionReplyHeader.SizeBytes, value.Encode);
        Assert.True(NbdOptionReplyHeader.TryDecode(golden, out NbdOptionReplyHeader read));
        Assert.Equal(value, read);
        RefusesOtherMagic(golden, 8, bytes => NbdOptionReplyHeader.TryDecode(bytes, out _));
    }

    [Fact]
    public void Export_information_has_its_golden_bytes()
    {
        byte[] golden = Golden("0102030405060708 0d6d");
        var value = new NbdExportInfo(0x0102030405060708,
            NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.SendFlush | NbdTransmissionFlags.SendFua
            | NbdTransmissionFlags.SendTrim | NbdTransmissionFlags.SendWriteZeroes
            | NbdTransmissionFlags.CanMultiConnection | NbdTransmissionFlags.SendCache
            | NbdTransmissionFlags.SendFastZero);
        Encodes(golden, NbdExportInfo.SizeBytes, value.Encode);
        Assert.Equal(value, NbdExportInfo.Decode(golden));
    }

    [Fact]
    public void Block_sizes_have_their_golden_bytes()
    {
        byte[] golden = Golden("00000200 00001000 02000000");
        var value = new NbdBlockSizeInfo(512, 4096, 32 << 20);
        Encodes(golden, NbdBlockSizeInfo.SizeBytes, value.Encode);
        Assert.Equal(value, NbdBlockSizeInfo.Decode(golden));
    }

    [Fact]
    public void A_request_has_its_golden_bytes()
    {
        byte[] golden = Golden("25609513 0003 0006 1122334455667788 0102030405060708 090a0b0c");
        var value = new NbdRequestHeader(NbdCommandFlags.ForceUnitAccess | NbdCommandFlags.NoHole,
            NbdCommand.WriteZeroes, 0x1122334455667788, 0x0102030405060708, 0x090a0b0c);
        Encodes(golden, NbdRequestHeader.SizeBytes, value.Encode);
        Assert.True(NbdRequestHeader.TryDecode(golden, out NbdRequestHeader read));
        Assert.Equal(value, read);
        RefusesOtherMagic(golden, 4, bytes => NbdRequestHeader.TryDecode(bytes, out _));
    }

    [Fact]
    public void A_simple_reply_has_its_golden_bytes()
    {
        byte[] golden = Golden("67446698 0000001c 1122334455667788");
        var value = new NbdSimpleReplyHeader(NbdError.NoSpace, 0x1122334455667788);
        Encodes(golden, NbdSimpleReplyHeader.SizeBytes, value.Encode);
        Assert.True(NbdSimpleReplyHeader.TryDecode(golden, out NbdSimpleReplyHeader read));
        Assert.Equal(value, read);
        RefusesOtherMagic(golden, 4, bytes => NbdSimpleReplyHeader.TryDecode(bytes, out _));
    }

    [Fact]
    public void A_structured_chunk_has_its_golden_bytes()
    {
        byte[] golden = Golden("668e33ef 0001 8002 1122334455667788 0000000e");
        var value = new NbdChunkHeader(NbdChunkFlags.Done, NbdChunkType.ErrorOffset, 0x1122334455667788, 14);
        Encodes(golden, NbdChunkHeader.SizeBytes, value.Encode);
        Assert.True(NbdChunkHeader.TryDecode(golden, out NbdChunkHeader read));
        Assert.Equal(value, read);
        RefusesOtherMagic(golden, 4, bytes => NbdChunkHeader.TryDecode(bytes, out _));
    }

    [Fact]
    public void An_extent_has_its_golden_bytes()
    {
        byte[] golden = Golden("00010000 00000003");
        var value = new NbdExtent(65536, NbdAllocationState.Hole | NbdAllocationState.Zero);
        Encodes(golden, NbdExtent.SizeBytes, value.Encode);
        Assert.Equal(value, NbdExtent.Decode(golden));
    }

    private static byte[] Golden(string hex) =>
        Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private delegate void Encoder(Span<byte> to);

    private static void Encodes(byte[] golden, int sizeBytes, Encoder encode)
    {
        Assert.Equal(golden.Length, sizeBytes);
        byte[] written = new byte[sizeBytes];
        encode(written);
        Assert.Equal(Convert.ToHexString(golden), Convert.ToHexString(written));
    }

    private static void RefusesOtherMagic(byte[] golden, int magicBytes, Func<byte[], bool> decode)
    {
        for (int i = 0; i < magicBytes; i++)
        {
            byte[] broken = (byte[])golden.Clone();
            broken[i] ^= 1;
            Assert.False(decode(broken), $"a wrong byte {i} of the magic was not noticed");
        }
    }
}
