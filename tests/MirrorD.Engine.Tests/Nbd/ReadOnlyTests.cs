using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>An export that can only be read.</summary>
public sealed class ReadOnlyTests
{
    [Fact]
    public void It_says_so_and_offers_nothing_that_changes_it()
    {
        using var world = new NbdWorld();
        world.Volume.IsReadOnly = true;
        NbdTransmissionFlags flags = world.Open().Export.Flags;
        Assert.True(flags.HasFlag(NbdTransmissionFlags.ReadOnly));
        Assert.Equal(NbdTransmissionFlags.None, flags & (NbdTransmissionFlags.SendTrim | NbdTransmissionFlags.SendWriteZeroes
            | NbdTransmissionFlags.SendFlush | NbdTransmissionFlags.SendFua | NbdTransmissionFlags.SendFastZero));
    }

    [Theory]
    [InlineData(NbdCommand.Write)]
    [InlineData(NbdCommand.WriteZeroes)]
    [InlineData(NbdCommand.Trim)]
    public void What_would_change_it_is_refused_before_the_volume_hears_of_it(NbdCommand command)
    {
        using var world = new NbdWorld();
        world.Volume.IsReadOnly = true;
        world.Disk.Put(0, new byte[] { 7 });
        world.Volume.Submitted = request => Assert.False(request.IsMutation);
        NbdClient client = world.Open();
        byte[]? data = command == NbdCommand.Write ? new byte[4096] : null;
        Assert.Equal(NbdError.NotPermitted, client.Call(command, 0, 4096, 0, data).Error);
        Assert.Equal(7, client.Read(0, 512)[0]);
    }

    [Fact]
    public void A_range_that_does_not_exist_is_refused_for_being_read_only()
    {
        var check = new RequestCheck(4096, 512, 131072, true, false, IsReadOnly: true);
        Assert.Equal(NbdError.NotPermitted,
            check.Refuse(new NbdRequestHeader(NbdCommandFlags.None, NbdCommand.Write, 0, 8192, 512), out string text));
        Assert.Contains("read-only", text, StringComparison.Ordinal);
    }
}
