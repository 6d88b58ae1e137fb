using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

public class PeerMessageCodecTests
{
    public static TheoryData<int> Samples() => [.. Enumerable.Range(0, SamplePeer.Messages.Count)];

    [Fact]
    public void There_is_a_sample_of_every_message() => Assert.Equal(
        typeof(PeerMessage).GetNestedTypes().Where(t => t.IsSubclassOf(typeof(PeerMessage)))
            .OrderBy(t => t.Name),
        SamplePeer.Messages.Select(m => m.Message.GetType()).OrderBy(t => t.Name));

    [Theory]
    [MemberData(nameof(Samples))]
    public void The_golden_bytes_come_out_and_are_read_back(int sample)
    {
        (PeerMessage message, string hex) = SamplePeer.Messages[sample];
        byte[] bytes = PeerMessageCodec.Encode(message);
        Assert.Equal(Convert.ToHexStringLower(SamplePeer.Bytes(hex)), Convert.ToHexStringLower(bytes));
        PeerMessage? read = PeerMessageCodec.Decode(bytes);
        Assert.IsType(message.GetType(), read);
        Assert.Equal(bytes, PeerMessageCodec.Encode(read!));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_message_that_is_cut_short_or_too_long_is_refused(int sample)
    {
        byte[] bytes = PeerMessageCodec.Encode(SamplePeer.Messages[sample].Message);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(PeerMessageCodec.Decode(bytes.AsSpan(0, length)));
        }

        Assert.Null(PeerMessageCodec.Decode([.. bytes, 0]));
    }

    [Theory]
    [InlineData("00")]
    [InlineData("11")]
    [InlineData("ff")]
    [InlineData("")]
    public void An_unknown_kind_is_refused(string hex) =>
        Assert.Null(PeerMessageCodec.Decode(SamplePeer.Bytes(hex)));

    [Theory]
    [InlineData("03 02 1111111111111111", "a flag is 0 or 1")]
    [InlineData("04 0000000001000000 0200000000000000 0000", "a volume number fits 31 bits")]
    [InlineData("04 0100000000000000 0000008000000000 0000", "a page number fits 31 bits")]
    [InlineData("06 0000000000000080", "a count of bytes is not negative")]
    [InlineData("0a 00 0500000000000000", "a role is Standby or Primary")]
    [InlineData("0a 03 0500000000000000", "a role is Standby or Primary")]
    [InlineData("10 ff 5555555555555555 6666666666666666", "a flag is 0 or 1")]
    public void A_value_out_of_range_is_refused(string hex, string rule) =>
        Assert.True(PeerMessageCodec.Decode(SamplePeer.Bytes(hex)) is null, rule);

    [Fact]
    public void A_history_longer_than_a_superblock_holds_is_refused()
    {
        byte[] Commit(int history) =>
            [7, .. new byte[16 + 24], (byte)history, .. SamplePeer.Counting(1, history * 8)];
        Assert.NotNull(PeerMessageCodec.Decode(Commit(32)));
        Assert.Null(PeerMessageCodec.Decode(Commit(33)));
    }

    [Fact]
    public void Random_bytes_never_throw_and_take_bounded_memory()
    {
        var random = new Random(3);
        byte[] bytes = new byte[PeerFrame.MaxMessageBytes];
        random.NextBytes(bytes);
        PeerMessageCodec.Decode(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        const int Rounds = 20_000;
        long inputBytes = 0;
        for (int i = 0; i < Rounds; i++)
        {
            int length = random.Next(0, i % 100 == 0 ? bytes.Length : 64);
            random.NextBytes(bytes.AsSpan(0, length));
            bytes[0] = (byte)(i % 20);
            PeerMessageCodec.Decode(bytes.AsSpan(0, length));
            inputBytes += length;
        }

        // A text takes two bytes for one; the rest is the message's own object.
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < (3 * inputBytes) + (Rounds * 400L), $"{allocated} bytes for {inputBytes}");
    }

    [Fact]
    public void A_changed_byte_gives_another_valid_message_or_none_but_never_an_exception()
    {
        foreach ((PeerMessage message, _) in SamplePeer.Messages)
        {
            byte[] bytes = PeerMessageCodec.Encode(message);
            for (int at = 0; at < bytes.Length; at++)
            {
                for (int change = 1; change < 256; change++)
                {
                    bytes[at] ^= (byte)change;
                    PeerMessage? read = PeerMessageCodec.Decode(bytes);
                    Assert.True(read is null or PeerMessage.RoleAnswer or PeerMessage.GrowAnswer
                            or PeerMessage.LeaveRefused or PeerMessage.InvalidateAnswer
                        || PeerMessageCodec.Encode(read).AsSpan().SequenceEqual(bytes));
                    bytes[at] ^= (byte)change;
                }
            }
        }
    }
}
