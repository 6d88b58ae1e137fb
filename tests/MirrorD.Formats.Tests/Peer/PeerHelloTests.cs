using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

public class PeerHelloTests
{
    private const string Golden = """
        4d495248 02000300 a0a1a2a3 a4a5a6a7
        a8a9aaab acadaeaf 00010203 04050607
        08090a0b 0c0d0e0f 10111213 14151617
        18191a1b 1c1d1e1f 6d61696c 00000000
        00000000 00000000 00000000 00000000
        00000000 00000000 00000000 00000000
        00000000 00000000 00000000 00000000
        00000000 00000000 01000000 24a4c389
        """;

    [Fact]
    public void The_golden_bytes_come_out_whatever_was_there_before() =>
        Assert.Equal(SamplePeer.Bytes(Golden), SamplePeer.Encode(SamplePeer.Connector));

    [Fact]
    public void The_golden_bytes_are_read_back()
    {
        PeerHello? hello = PeerHello.Decode(SamplePeer.Bytes(Golden), out string error);
        Assert.Empty(error);
        Assert.Equal(SamplePeer.Connector.Node, hello!.Node);
        Assert.Equal(SamplePeer.Connector.Challenge.ToArray(), hello.Challenge.ToArray());
        Assert.Equal("mail", hello.Resource);
        Assert.True(hello.Encrypts);
    }

    [Fact]
    public void A_resource_name_may_fill_its_whole_field()
    {
        string name = new('x', 64);
        byte[] bytes = SamplePeer.Encode(SamplePeer.Connector with { Resource = name });
        Assert.Equal(name, PeerHello.Decode(bytes, out _)!.Resource);
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        byte[] bytes = SamplePeer.Encode(SamplePeer.Connector);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(PeerHello.Decode(bytes, out string error));
            Assert.NotEmpty(error);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(4, 9, "4 to 9")]
    [InlineData(0, 0, "0 to 0")]
    public void Versions_without_one_in_common_are_refused_and_both_ranges_are_named(
        ushort lowest, ushort highest, string named)
    {
        byte[] bytes = WithVersions(lowest, highest);
        Assert.Null(PeerHello.Decode(bytes, out string error));
        Assert.Contains(named, error);
        Assert.Contains("same release", error);
    }

    [Fact]
    public void A_peer_of_the_former_version_is_welcome_and_its_version_known() =>
        Assert.Equal(2, PeerHello.Decode(WithVersions(2, 2), out _)!.Highest);

    [Fact]
    public void A_peer_that_also_speaks_other_versions_is_welcome() =>
        Assert.NotNull(PeerHello.Decode(WithVersions(0, 7), out _));

    [Fact]
    public void Unknown_flags_are_refused()
    {
        byte[] bytes = SamplePeer.Encode(SamplePeer.Connector);
        bytes[121] = 1;
        Seal(bytes);
        Assert.Null(PeerHello.Decode(bytes, out string error));
        Assert.Contains("unknown flags", error);
    }

    [Fact]
    public void Random_bytes_never_throw_and_give_a_short_cause()
    {
        var random = new Random(2);
        byte[] bytes = new byte[PeerHello.Bytes];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                BitConverter.TryWriteBytes(bytes, PeerHello.Magic);
                bytes.AsSpan(4, 4).Clear();
                bytes[6] = 2;
                bytes.AsSpan(120, 4).Clear();
                Seal(bytes);
                Assert.NotNull(PeerHello.Decode(bytes, out _));
                continue;
            }

            Assert.Null(PeerHello.Decode(bytes, out string error));
            Assert.InRange(error.Length, 1, 200);
        }
    }

    private static byte[] WithVersions(ushort lowest, ushort highest)
    {
        byte[] bytes = SamplePeer.Encode(SamplePeer.Connector);
        BitConverter.TryWriteBytes(bytes.AsSpan(4), lowest);
        BitConverter.TryWriteBytes(bytes.AsSpan(6), highest);
        Seal(bytes);
        return bytes;
    }

    private static void Seal(byte[] bytes) =>
        BitConverter.TryWriteBytes(bytes.AsSpan(124), Crc32C.Compute(bytes.AsSpan(0, 124)));
}
