using MirrorD.Formats.Metadata;
using MirrorD.Formats.Watch;

namespace MirrorD.Formats.Tests.Watch;

public class ControlMessageCodecTests
{
    public static TheoryData<int> Samples => [.. Enumerable.Range(0, SampleWatch.Messages.Count)];

    [Fact]
    public void There_is_a_sample_of_each_kind() => Assert.Equal(
        typeof(ControlMessage).GetNestedTypes().Select(t => t.Name).Order(),
        SampleWatch.Messages.Select(m => m.Message.GetType().Name).Order());

    [Theory]
    [MemberData(nameof(Samples))]
    public void The_golden_bytes_come_out_and_are_read_back(int sample)
    {
        (ControlMessage message, string hex) = SampleWatch.Messages[sample];
        byte[] bytes = SampleWatch.Bytes(hex);
        Assert.Equal(bytes, SampleWatch.Encode(message));
        ControlMessage? read = ControlMessageCodec.Decode(bytes, out ResourceHash resource);
        Assert.Equal(ResourceHash.Of("mail"), resource);
        Assert.Equal(message.GetType(), read!.GetType());
        Assert.Equal(bytes, SampleWatch.Encode(read));
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_shorter_or_longer_body_is_refused(int sample)
    {
        byte[] bytes = SampleWatch.Bytes(SampleWatch.Messages[sample].Hex);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(ControlMessageCodec.Decode(bytes.AsSpan(0, length), out _));
        }

        Assert.Null(ControlMessageCodec.Decode([.. bytes, 0], out _));
    }

    [Theory]
    [InlineData(0, 8, 0)]
    [InlineData(0, 8, 4)]
    [InlineData(0, 41, 1)]
    [InlineData(0, 41, 3)]
    [InlineData(0, 41, 33)]
    [InlineData(1, 25, 0)]
    [InlineData(1, 25, 8)]
    [InlineData(2, 9, 2)]
    public void An_unknown_kind_or_a_value_out_of_range_is_refused(int sample, int at, byte value)
    {
        byte[] bytes = SampleWatch.Bytes(SampleWatch.Messages[sample].Hex);
        bytes[at] = value;
        Assert.Null(ControlMessageCodec.Decode(bytes, out _));
    }

    [Fact]
    public void Every_answer_comes_through()
    {
        foreach (OutdateAnswer answer in Enum.GetValues<OutdateAnswer>())
        {
            var reply = new ControlMessage.OutdateReply(new SessionId(9), 8, answer);
            Assert.Equal(reply, ControlMessageCodec.Decode(SampleWatch.Encode(reply), out _));
        }
    }

    [Fact]
    public void The_longest_history_fits_and_a_longer_one_is_not_sent()
    {
        Generation[] history = [.. Enumerable.Range(1, SuperblockCodec.MaximumHistory + 1)
            .Select(i => new Generation((ulong)i))];
        ControlMessage With(IReadOnlyList<Generation> generations) => new ControlMessage.OutdateRequest(
            new SessionId(1), new Generation(2), default, generations, 3);
        byte[] bytes = SampleWatch.Encode(With(history[1..]));
        Assert.Equal(ControlMessageCodec.MaxBodyBytes, bytes.Length);
        var read = (ControlMessage.OutdateRequest)ControlMessageCodec.Decode(bytes, out _)!;
        Assert.Equal(history[1..], read.History);
        Assert.Throws<ArgumentOutOfRangeException>(() => SampleWatch.Encode(With(history)));
    }

    [Fact]
    public void Random_bodies_are_read_or_refused_and_never_more()
    {
        var random = new Random(1);
        int read = 0;
        for (int i = 0; i < 50_000; i++)
        {
            byte[] bytes = SampleWatch.Bytes(SampleWatch.Messages[i % SampleWatch.Messages.Count].Hex);
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Array.Resize(ref bytes, bytes.Length - (random.Next(4) == 0 ? random.Next(bytes.Length) : 0));
            if (ControlMessageCodec.Decode(bytes, out _) is { } message)
            {
                read++;
                Assert.Equal(bytes[8..], SampleWatch.Encode(message)[8..]);
            }
        }

        Assert.True(read > 1000, $"only {read} were well-formed");
    }
}
