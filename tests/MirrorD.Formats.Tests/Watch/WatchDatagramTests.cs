using System.Buffers.Binary;
using MirrorD.Formats.Watch;

namespace MirrorD.Formats.Tests.Watch;

public class WatchDatagramTests
{
    [Fact]
    public void The_golden_bytes_come_out_whatever_was_there_before() =>
        Assert.Equal(
            SampleWatch.Bytes(SampleWatch.HeartbeatHex),
            SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail, SampleWatch.Www));

    [Fact]
    public void The_golden_bytes_are_read_back()
    {
        byte[] bytes = SampleWatch.Bytes(SampleWatch.HeartbeatHex);
        WatchFault fault = WatchDatagram.Open(
            bytes, SampleWatch.Key, out WatchHeader header, out ReadOnlySpan<byte> body);
        Assert.Equal(WatchFault.None, fault);
        Assert.Equal(SampleWatch.Header, header);
        Assert.True(HeartbeatEntry.IsValidBody(body));
        Assert.Equal(SampleWatch.Mail, HeartbeatEntry.Decode(body));
        Assert.Equal(SampleWatch.Www, HeartbeatEntry.Decode(body[HeartbeatEntry.Bytes..]));
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        byte[] bytes = SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(WatchFault.None, Open(bytes));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(WatchFault.None, Open(bytes));
    }

    [Fact]
    public void A_truncated_or_lengthened_datagram_is_refused()
    {
        byte[] bytes = SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.NotEqual(WatchFault.None, Open(bytes[..length]));
        }

        Assert.Equal(WatchFault.Length, Open([.. bytes, 0]));
        Assert.Equal(WatchFault.Length, Open(new byte[WatchDatagram.MaxBytes + 1]));
    }

    [Fact]
    public void Random_garbage_is_refused()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(0, 1600)];
            random.NextBytes(bytes);
            if (i % 2 == 0 && bytes.Length > WatchHeader.Bytes + WatchDatagram.MacBytes)
            {
                // As far as the MAC.
                BinaryPrimitives.WriteUInt32LittleEndian(bytes, WatchHeader.Magic);
                bytes[4] = WatchHeader.Version;
                int body = bytes.Length - WatchHeader.Bytes - WatchDatagram.MacBytes;
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(88), (ushort)body);
            }

            Assert.NotEqual(WatchFault.None, Open(bytes));
        }
    }

    [Theory]
    [InlineData(0, WatchFault.Magic)]
    [InlineData(4, WatchFault.Version)]
    [InlineData(5, WatchFault.Type)]
    [InlineData(88, WatchFault.Length)]
    [InlineData(90, WatchFault.Reserved)]
    [InlineData(91, WatchFault.Reserved)]
    [InlineData(95, WatchFault.Reserved)]
    public void A_peer_with_the_key_that_writes_something_else_is_refused_for_it(int at, WatchFault fault)
    {
        byte[] bytes = SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail);
        bytes[at] ^= 0x40;
        SampleWatch.Key.ComputeMac(
            bytes.AsSpan(..^WatchDatagram.MacBytes), bytes.AsSpan(^WatchDatagram.MacBytes..));
        Assert.Equal(fault, Open(bytes));
    }

    [Fact]
    public void The_key_of_the_other_direction_or_another_pair_does_not_fit()
    {
        byte[] bytes = SampleWatch.Heartbeat(SampleWatch.Header, SampleWatch.Mail);
        byte[] otherKey = [.. SampleWatch.ClusterKey.Reverse()];
        Assert.Equal(WatchFault.Mac, Open(bytes, new WatchKey(SampleWatch.ClusterKey, "b", "a")));
        Assert.Equal(WatchFault.Mac, Open(bytes, new WatchKey(SampleWatch.ClusterKey, "a", "c")));
        Assert.Equal(WatchFault.Mac, Open(bytes, new WatchKey(otherKey, "a", "b")));
        Assert.Equal(WatchFault.None, Open(bytes, new WatchKey(SampleWatch.ClusterKey, "a", "b")));
    }

    [Fact]
    public void Names_run_together_give_another_key()
    {
        byte[] one = Mac(new WatchKey(SampleWatch.ClusterKey, "ab", "c"));
        Assert.NotEqual(one, Mac(new WatchKey(SampleWatch.ClusterKey, "a", "bc")));
        Assert.Equal(one, Mac(new WatchKey(SampleWatch.ClusterKey, "ab", "c")));
    }

    [Fact]
    public void Only_a_challenge_that_is_one_can_be_answered()
    {
        Assert.True(SampleWatch.Header.Answers(SampleWatch.Header.Echo));
        Assert.True(SampleWatch.Header.Answers(SampleWatch.Header.NewcomerEcho));
        Assert.False(SampleWatch.Header.Answers(SampleWatch.Header.Challenge));
        Assert.False((SampleWatch.Header with { Echo = 0 }).Answers(0));
    }

    [Fact]
    public void The_longest_heartbeat_and_the_longest_message_fit_a_datagram()
    {
        Assert.True(HeartbeatEntry.MaxEntries * HeartbeatEntry.Bytes <= WatchDatagram.MaxBodyBytes);
        Assert.True(ControlMessageCodec.MaxBodyBytes <= WatchDatagram.MaxBodyBytes);
        byte[] bytes = SampleWatch.Heartbeat(
            SampleWatch.Header, [.. Enumerable.Repeat(SampleWatch.Mail, HeartbeatEntry.MaxEntries)]);
        Assert.Equal(WatchFault.None, Open(bytes));
    }

    [Fact]
    public void Sealing_and_opening_allocate_nothing()
    {
        byte[] buffer = new byte[WatchDatagram.MaxBytes];
        int opened = Rounds(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        opened += Rounds(20_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(20_100, opened);
        // Less than a byte each; a collection may count up to 8 KiB that this thread has not used yet.
        Assert.True(allocated < 20_000, $"{allocated} bytes for 20,000 datagrams made and read");

        int Rounds(int count)
        {
            int right = 0;
            for (int i = 0; i < count; i++)
            {
                SampleWatch.Mail.Encode(buffer.AsSpan(WatchHeader.Bytes));
                int length = WatchDatagram.Seal(
                    buffer, SampleWatch.Header, HeartbeatEntry.Bytes, SampleWatch.Key);
                right += WatchDatagram.Open(
                    buffer.AsSpan(0, length), SampleWatch.Key, out _, out ReadOnlySpan<byte> body)
                    == WatchFault.None && HeartbeatEntry.IsValidBody(body) ? 1 : 0;
            }

            return right;
        }
    }

    private static byte[] Mac(WatchKey key)
    {
        byte[] mac = new byte[WatchDatagram.MacBytes];
        key.ComputeMac([1, 2, 3], mac);
        return mac;
    }

    private static WatchFault Open(byte[] bytes) => Open(bytes, SampleWatch.Key);

    private static WatchFault Open(byte[] bytes, WatchKey key) =>
        WatchDatagram.Open(bytes, key, out _, out _);
}
