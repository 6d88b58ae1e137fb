using MirrorD.Formats.Watch;

namespace MirrorD.Formats.Tests.Watch;

public class HeartbeatEntryTests
{
    [Fact]
    public void Every_role_and_state_of_a_copy_comes_through()
    {
        foreach (Role role in Enum.GetValues<Role>())
        {
            foreach (DiskState state in Enum.GetValues<DiskState>())
            {
                HeartbeatEntry entry = SampleWatch.Mail with { Role = role, DiskState = state };
                byte[] bytes = Encode(entry);
                Assert.True(HeartbeatEntry.IsValidBody(bytes));
                Assert.Equal(entry, HeartbeatEntry.Decode(bytes));
            }
        }
    }

    [Fact]
    public void That_a_node_is_disconnected_comes_through()
    {
        byte[] bytes = Encode(SampleWatch.Www with { IsDisconnected = true });
        Assert.True(HeartbeatEntry.IsValidBody(bytes));
        Assert.True(HeartbeatEntry.Decode(bytes).IsDisconnected);
        Assert.False(HeartbeatEntry.Decode(Encode(SampleWatch.Www)).IsDisconnected);
    }

    [Fact]
    public void A_heartbeat_may_tell_of_no_resource() => Assert.True(HeartbeatEntry.IsValidBody([]));

    [Fact]
    public void A_body_that_is_not_made_of_whole_entries_or_of_too_many_is_refused()
    {
        byte[] entry = Encode(SampleWatch.Mail);
        for (int length = 1; length < HeartbeatEntry.Bytes; length++)
        {
            Assert.False(HeartbeatEntry.IsValidBody(entry.AsSpan(0, length)));
        }

        byte[] tooMany = [.. Enumerable.Repeat(entry, HeartbeatEntry.MaxEntries + 1).SelectMany(e => e)];
        Assert.False(HeartbeatEntry.IsValidBody(tooMany));
        Assert.True(HeartbeatEntry.IsValidBody(tooMany.AsSpan(HeartbeatEntry.Bytes)));
    }

    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 3)]
    [InlineData(9, 0)]
    [InlineData(9, 7)]
    [InlineData(10, 16)]
    [InlineData(11, 1)]
    [InlineData(15, 1)]
    public void A_value_out_of_range_is_refused_also_in_a_later_entry(int at, byte value)
    {
        byte[] bytes = [.. Encode(SampleWatch.Www), .. Encode(SampleWatch.Mail)];
        Assert.True(HeartbeatEntry.IsValidBody(bytes));
        bytes[HeartbeatEntry.Bytes + at] = value;
        Assert.False(HeartbeatEntry.IsValidBody(bytes));
    }

    private static byte[] Encode(HeartbeatEntry entry)
    {
        byte[] to = new byte[HeartbeatEntry.Bytes];
        entry.Encode(to);
        return to;
    }
}
