using System.Buffers.Binary;
using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Handshake;

public class HandshakeFactsCodecTests
{
    private static readonly HandshakeFacts Sample = new()
    {
        Node = new(new Guid("a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf")),
        Boot = new(new Guid("b0b1b2b3-b4b5-b6b7-b8b9-babbbcbdbebf")),
        PeerBoot = new(new Guid("c0c1c2c3-c4c5-c6c7-c8c9-cacbcccdcecf")),
        Current = new(0x1111111111111111),
        Bitmap = new(0x2222222222222222),
        History = Facts.Generations(0x3333333333333333, 0x4444444444444444),
        Session = new(0x5555555555555555),
        Promotions = 7,
        DiskState = DiskState.UpToDate,
        CreationSource = CreationSource.Peer,
        IsPrimary = true,
        WasPrimary = true,
        HasProof = true,
        SyncSetBlocks = 0x0102,
        SplitBrainPolicy = SplitBrainPolicy.DiscardUnchanged,
        Volumes = [new(1 << 30, 9, 8) { RoomBytes = 1L << 31, WantedBytes = 0x60000000 }, new(4096, 7, 6)],
    };

    [Fact]
    public void The_bytes_are_those_of_the_header_comment() => Assert.Equal(
        "0300" + "4704" + "06" + "02" + "02" + "02"
        + "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" + "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
        + "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
        + "1111111111111111" + "2222222222222222" + "5555555555555555" + "0700000000000000"
        + "0201000000000000"
        + "3333333333333333" + "4444444444444444"
        + "0000004000000000" + "0900000000000000" + "0800000000000000" + "0000008000000000" + "0000006000000000"
        + "0010000000000000" + "0700000000000000" + "0600000000000000" + "0000000000000000" + "0000000000000000",
        Convert.ToHexStringLower(Encode(Sample)));

    [Fact]
    public void Facts_read_back_as_written()
    {
        HandshakeFacts full = Sample with
        {
            History = [.. Enumerable.Range(1, 32).Select(i => new Generation((ulong)i))],
            Volumes = [.. Enumerable.Range(1, 64).Select(i => new VolumeFacts(i * 4096, 1, 2))],
            JustCreated = true,
            FullSyncNeeded = true,
            VolumesDisagree = true,
            Mode = ReplicationMode.Memory,
            WasAhead = true,
            GivesWay = true,
            SplitBrainPolicy = SplitBrainPolicy.DiscardStandby,
            IsPrimary = false,
            HasProof = false,
        };
        Assert.Equal(HandshakeFactsCodec.MaximumBytes, Encode(full).Length);
        foreach (HandshakeFacts facts in (HandshakeFacts[])[Sample, full, Facts.A])
        {
            Assert.Null(HandshakeFactsCodec.TryDecode(Encode(facts), out HandshakeFacts? read));
            Assert.True(Same(facts, read!), $"{facts}\n{read}");
        }
    }

    [Theory]
    [InlineData(0, 1, "version 1")]
    [InlineData(2, 0xC7, "flag")]
    [InlineData(3, 32, "flag")]
    [InlineData(3, 12, "flag")]
    [InlineData(4, 0, "disk state")]
    [InlineData(4, 7, "disk state")]
    [InlineData(5, 4, "creation source")]
    [InlineData(6, 3, "3 generations")]
    [InlineData(6, 33, "33 generations")]
    [InlineData(7, 0, "0 volumes")]
    [InlineData(7, 65, "65 volumes")]
    [InlineData(95, 0x80, "sync set")]
    [InlineData(119, 0x80, "size")]
    [InlineData(143, 0x80, "size")]
    [InlineData(151, 0x80, "size")]
    public void What_the_format_does_not_allow_is_named(int at, byte value, string expected)
    {
        byte[] bytes = Encode(Sample);
        bytes[at] = value;
        string? error = HandshakeFactsCodec.TryDecode(bytes, out HandshakeFacts? facts);
        Assert.Contains(expected, error);
        Assert.Null(facts);
    }

    [Fact]
    public void An_empty_generation_in_the_history_and_a_volume_without_size_are_refused()
    {
        byte[] bytes = Encode(Sample);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(104), 0);
        Assert.Contains("history", HandshakeFactsCodec.TryDecode(bytes, out _));
        bytes = Encode(Sample);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(112), 0);
        Assert.Contains("size", HandshakeFactsCodec.TryDecode(bytes, out _));
    }

    [Fact]
    public void Any_other_length_is_refused()
    {
        byte[] bytes = Encode(Sample);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.NotNull(HandshakeFactsCodec.TryDecode(bytes.AsSpan(0, length), out _));
        }

        Assert.NotNull(HandshakeFactsCodec.TryDecode([.. bytes, 0], out _));
    }

    [Fact]
    public void Whatever_is_accepted_is_understood_completely()
    {
        var random = new Random(5);
        int accepted = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = Encode(Sample);
            int changes = random.Next(1, 4);
            for (int i = 0; i < changes; i++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (HandshakeFactsCodec.TryDecode(bytes, out HandshakeFacts? facts) is null)
            {
                accepted++;
                Assert.Equal(bytes, Encode(facts!));
            }
        }

        Assert.True(accepted > 1000, $"{accepted}");
    }

    [Fact]
    public void The_facts_of_a_resource_are_the_worst_of_its_volumes()
    {
        var first = new Superblock
        {
            ResourceId = default,
            VolumeIndex = 0,
            ResourceName = "r",
            VolumeName = "a",
            Node = Sample.Node,
            DataBytes = 8192,
            Sequence = 4,
            PeerSequence = 3,
            Current = new(1),
            Session = new(2),
            DiskState = DiskState.UpToDate,
            Proof = new(ProofKind.ArbiterGrant, new(2)),
        };
        Superblock second =
            first with { DiskState = DiskState.Inconsistent, WasPrimary = true, DataBytes = 4096 };
        HandshakeFacts facts = HandshakeFacts.Of([first, second], Sample.Boot, false, 12);
        Assert.Equal(DiskState.Inconsistent, facts.DiskState);
        Assert.True(facts.IsCrashedPrimary && facts.HasProof && !facts.VolumesDisagree);
        Assert.Equal([new(8192, 4, 3), new(4096, 4, 3)], facts.Volumes);
        Assert.Equal(12, facts.SyncSetBlocks);

        second = second with { Proof = new(ProofKind.ArbiterGrant, new(1)), Current = new(9) };
        facts = HandshakeFacts.Of([first, second], Sample.Boot, true, 0);
        Assert.True(facts.VolumesDisagree && !facts.HasProof && !facts.IsCrashedPrimary);
    }

    private static byte[] Encode(HandshakeFacts facts)
    {
        var buffer = new byte[HandshakeFactsCodec.MaximumBytes];
        return buffer[..HandshakeFactsCodec.Encode(facts, buffer)];
    }

    private static bool Same(HandshakeFacts a, HandshakeFacts b) =>
        a with { History = [], Volumes = [] } == b with { History = [], Volumes = [] }
        && a.History.SequenceEqual(b.History) && a.Volumes.SequenceEqual(b.Volumes);
}
