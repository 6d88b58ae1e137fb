using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

public class PeerFrameTests
{
    private const string Golden = """
        4d495252 02010100 88776655 44332211
        08070605 04030201 00000100 00000000
        00100000 00100000 03000000 efbeadde
        a1a2a3a4 b1b2b3b4 15646402 3b93293a
        """;

    [Fact]
    public void The_golden_bytes_come_out_whatever_was_there_before()
    {
        byte[] bytes = new byte[PeerFrame.HeaderBytes];
        Array.Fill(bytes, (byte)0xee);
        SamplePeer.Write.Encode(bytes, SamplePeer.HeaderKey, SamplePeer.FrameNumber);
        Assert.Equal(SamplePeer.Bytes(Golden), bytes);
    }

    [Fact]
    public void The_golden_bytes_are_read_back()
    {
        Assert.True(TryDecode(SamplePeer.Bytes(Golden), out PeerFrame frame, out string error), error);
        Assert.Equal(SamplePeer.Write, frame);
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        byte[] bytes = SamplePeer.WriteBytes();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(TryDecode(bytes, out _, out string error), $"bit {bit}");
            Assert.NotEmpty(error);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void A_frame_of_another_place_key_or_session_is_refused_with_the_cause()
    {
        byte[] bytes = SamplePeer.WriteBytes();
        SipKey key = SamplePeer.HeaderKey;
        ulong number = SamplePeer.FrameNumber;
        SessionId session = SamplePeer.Session;
        string error;
        Assert.False(PeerFrame.TryDecode(bytes, key, number + 1, session, out _, out error));
        Assert.Contains("forged, replayed or lost", error);
        Assert.False(PeerFrame.TryDecode(bytes, key with { K1 = 0 }, number, session, out _, out error));
        Assert.Contains("forged, replayed or lost", error);
        Assert.False(PeerFrame.TryDecode(bytes, key, number, new SessionId(1), out _, out error));
        Assert.Contains("another session", error);
    }

    [Theory]
    [InlineData(0, "magic")]
    [InlineData(4, "framing version 3")]
    [InlineData(42, "reserved")]
    [InlineData(43, "reserved")]
    public void A_wrong_fixed_field_is_refused_with_the_cause(int at, string cause)
    {
        byte[] bytes = SamplePeer.WriteBytes();
        bytes[at] += 1;
        Seal(bytes);
        Assert.False(TryDecode(bytes, out _, out string error));
        Assert.Contains(cause, error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(250)]
    [InlineData(255)]
    public void An_unknown_type_is_refused(byte type)
    {
        byte[] bytes = SamplePeer.WriteBytes();
        bytes[5] = type;
        Seal(bytes);
        Assert.False(TryDecode(bytes, out _, out string error));
        Assert.Equal($"unknown frame type {type}", error);
    }

    public static TheoryData<PeerFrameType> Types() => [.. Enum.GetValues<PeerFrameType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Each_type_goes_over_and_comes_back(PeerFrameType type)
    {
        PeerFrame frame = Valid(type);
        Assert.True(TryDecode(SamplePeer.Encode(frame), out PeerFrame read, out string error), error);
        Assert.Equal(frame, read);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_field_or_flag_that_a_type_does_not_use_must_be_zero(PeerFrameType type)
    {
        PeerFrame valid = Valid(type);
        var wrong = new List<PeerFrame> { valid with { Flags = valid.Flags | (PeerFrameFlags)4 } };
        bool hasRange = type is PeerFrameType.Write or PeerFrameType.Copy or PeerFrameType.Zero or PeerFrameType.Read
            or PeerFrameType.ReadData or PeerFrameType.CopyZero or PeerFrameType.HashQuestion;
        if (!hasRange)
        {
            wrong.AddRange(
                valid with { Offset = type == PeerFrameType.Acknowledge ? -1 : 512 }, valid with { RangeBytes = 512 }, valid with { Volume = 1 },
                valid with { Flags = PeerFrameFlags.ForceUnitAccess });
        }

        if (type is PeerFrameType.Ping or PeerFrameType.Message)
        {
            wrong.Add(valid with { Sequence = 1 });
        }

        if (valid.PayloadBytes == 0)
        {
            wrong.AddRange(valid with { PayloadBytes = 1 }, valid with { PayloadTag = new PayloadTag(0, 1) });
        }

        if (type is not PeerFrameType.Zero)
        {
            wrong.Add(valid with { Flags = PeerFrameFlags.MayUnmap });
        }

        if (type is PeerFrameType.Copy or PeerFrameType.CopyZero or PeerFrameType.Read or PeerFrameType.ReadData
            or PeerFrameType.HashQuestion)
        {
            wrong.Add(valid with { Flags = PeerFrameFlags.ForceUnitAccess });
        }

        foreach (PeerFrame frame in wrong)
        {
            Assert.False(TryDecode(SamplePeer.Encode(frame), out _, out _), $"{frame}");
        }
    }

    [Theory]
    [InlineData(PeerFrameType.Write)]
    [InlineData(PeerFrameType.Copy)]
    [InlineData(PeerFrameType.ReadData)]
    public void Data_is_bounded_and_as_long_as_its_range(PeerFrameType type)
    {
        PeerFrame valid = Valid(type);
        Assert.True(AcceptsLength(PeerFrame.MaxDataBytes));
        Assert.False(AcceptsLength(PeerFrame.MaxDataBytes + 1));
        Assert.False(AcceptsLength(0));
        Assert.False(AcceptsLength(uint.MaxValue));
        Assert.False(Accepts(valid with { PayloadBytes = 512 }));

        bool AcceptsLength(uint bytes) => Accepts(valid with { PayloadBytes = bytes, RangeBytes = bytes });
    }

    [Fact]
    public void The_length_of_a_message_and_of_a_zero_is_bounded()
    {
        PeerFrame message = Valid(PeerFrameType.Message);
        Assert.True(Accepts(message with { PayloadBytes = 1 }));
        Assert.False(Accepts(message with { PayloadBytes = 0, PayloadTag = default }));
        Assert.True(Accepts(message with { PayloadBytes = PeerFrame.MaxMessageBytes }));
        Assert.False(Accepts(message with { PayloadBytes = PeerFrame.MaxMessageBytes + 1 }));
        PeerFrame zero = Valid(PeerFrameType.Zero);
        Assert.True(Accepts(zero with { RangeBytes = PeerFrame.MaxZeroBytes }));
        Assert.False(Accepts(zero with { RangeBytes = PeerFrame.MaxZeroBytes + 1 }));
        Assert.False(Accepts(zero with { RangeBytes = 0 }));
        foreach (PeerFrameType type in new[] { PeerFrameType.Read, PeerFrameType.CopyZero, PeerFrameType.HashQuestion })
        {
            PeerFrame frame = Valid(type);
            Assert.True(Accepts(frame with { RangeBytes = PeerFrame.MaxDataBytes }));
            Assert.False(Accepts(frame with { RangeBytes = PeerFrame.MaxDataBytes + 1 }));
            Assert.False(Accepts(frame with { RangeBytes = 0 }));
        }
    }

    [Fact]
    public void A_hash_is_whole_or_not_there()
    {
        PeerFrame answer = Valid(PeerFrameType.HashAnswer);
        Assert.True(Accepts(answer with { PayloadBytes = 0, PayloadTag = default }));
        Assert.False(Accepts(answer with { PayloadBytes = 0 }));
        Assert.False(Accepts(answer with { PayloadBytes = RangeHash.Bytes - 1 }));
        Assert.False(Accepts(answer with { PayloadBytes = RangeHash.Bytes + 1 }));
    }

    [Fact]
    public void Random_bytes_are_never_a_frame_and_never_throw()
    {
        var random = new Random(1);
        byte[] bytes = new byte[PeerFrame.HeaderBytes];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                BitConverter.TryWriteBytes(bytes, PeerFrame.Magic);
                bytes[4] = PeerFrame.Version;
            }

            Assert.False(TryDecode(bytes, out _, out string error));
            Assert.InRange(error.Length, 1, 100);
        }
    }

    private static PeerFrame Valid(PeerFrameType type)
    {
        var frame = new PeerFrame { Type = type, Session = SamplePeer.Session };
        return type switch
        {
            PeerFrameType.Write or PeerFrameType.Copy or PeerFrameType.ReadData => frame with
            {
                Sequence = 1,
                Offset = 4096,
                Volume = 2,
                RangeBytes = 4096,
                PayloadBytes = 4096,
                PayloadTag = new PayloadTag(7, 0),
            },
            PeerFrameType.Zero => frame with
            {
                Flags = PeerFrameFlags.MayUnmap | PeerFrameFlags.ForceUnitAccess,
                Sequence = 2,
                Offset = 8192,
                Volume = 1,
                RangeBytes = 1 << 20,
            },
            PeerFrameType.Read or PeerFrameType.CopyZero or PeerFrameType.HashQuestion => frame with { Sequence = 2, Offset = 8192, Volume = 1, RangeBytes = 4096 },
            PeerFrameType.HashAnswer => frame with
            {
                Sequence = 4,
                PayloadBytes = RangeHash.Bytes,
                PayloadTag = new PayloadTag(0, 5),
            },
            PeerFrameType.Message => frame with { PayloadBytes = 20, PayloadTag = new PayloadTag(9, 9) },
            PeerFrameType.Ping => frame,
            PeerFrameType.Acknowledge => frame with { Sequence = 3, Offset = 70_000 },
            PeerFrameType.Flush or PeerFrameType.Durable or PeerFrameType.Received
                or PeerFrameType.ReadFailed =>
                frame with { Sequence = 3 },
        };
    }

    private static bool Accepts(PeerFrame frame) => TryDecode(SamplePeer.Encode(frame), out _, out _);

    private static bool TryDecode(byte[] bytes, out PeerFrame frame, out string error) => PeerFrame.TryDecode(
        bytes, SamplePeer.HeaderKey, SamplePeer.FrameNumber, SamplePeer.Session, out frame, out error);

    /// <summary>The tag as a sender with the key would write it.</summary>
    private static void Seal(byte[] bytes)
    {
        ulong tag = SipHash.Compute(SamplePeer.HeaderKey, bytes.AsSpan(0, 56), SamplePeer.FrameNumber);
        BitConverter.TryWriteBytes(bytes.AsSpan(56), tag);
    }
}
