using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>Connections that begin with requests, as the kernel's; and an end in order.</summary>
public sealed class AdoptedConnectionTests
{
    [Theory]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public void The_first_bytes_are_a_request_and_replies_are_simple(int bytes)
    {
        using var world = new NbdWorld();
        NbdClient kernel = world.Adopt();
        byte[] data = [.. Enumerable.Range(0, bytes).Select(i => (byte)(i * 7))];
        Assert.Equal(NbdError.None, kernel.Write(8192, data));
        Assert.Equal(data, kernel.Read(8192, bytes));
        Assert.Equal(data, world.DiskBytesAt(8192, bytes));
        Assert.Equal(NbdEventKind.Opened, Assert.Single(world.Events).Kind);
    }

    [Fact]
    public void A_full_server_and_a_closed_volume_turn_it_not_away()
    {
        using var world = new NbdWorld(new NbdServerOptions { MaxSessions = 1 });
        NbdClient other = world.Open();
        world.Volume.Unavailable = "closed";
        NbdClient kernel = world.Adopt();
        Assert.Equal(NbdError.None, kernel.Write(0, new byte[512]));
        Assert.Equal(NbdError.None, other.Write(0, new byte[512]));
    }

    [Fact]
    public void Its_end_is_told_when_the_volume_has_completed_its_requests()
    {
        using var world = new NbdWorld();
        bool ended = false;
        NbdClient kernel = world.Adopt(() => ended = true);
        world.Volume.Holds = true;
        kernel.Send(NbdCommand.Write, 0, 512, data: new byte[512]);
        world.Until(() => world.Volume.InFlight == 1, "the write is with the volume");
        kernel.Wire.Close();
        world.Pass(NbdWorld.Second);
        Assert.False(ended);

        world.Volume.Release();
        world.Until(() => ended, "the session is over");
        world.UntilEmpty();
    }

    [Fact]
    public void An_end_in_order_answers_what_was_taken_up_and_nothing_else()
    {
        using var world = new NbdWorld();
        NbdClient kernel = world.Adopt();
        world.Volume.Holds = true;
        kernel.Send(NbdCommand.Write, 0, 512, data: new byte[512]);
        kernel.Send(NbdCommand.Read, 4096, 512);
        world.Until(() => world.Volume.InFlight == 2, "both are with the volume");
        bool finished = false;
        world.Server.FinishSessions("restart", () => finished = true);
        kernel.Send(NbdCommand.Write, 8192, 512, data: new byte[512]);
        world.Pass(NbdWorld.Second);
        Assert.False(finished);
        Assert.Equal(2, world.Volume.InFlight);

        world.Volume.Release();
        Assert.Equal(NbdError.None, kernel.TakeAnswer().Error);
        Assert.Equal(NbdError.None, kernel.TakeAnswer().Error);
        Assert.Empty(kernel.Wire.TakeToEnd());
        Assert.True(finished);
        world.UntilEmpty();
    }

    [Fact]
    public void An_end_in_order_waits_for_the_rest_of_a_write_whose_data_have_begun_to_come()
    {
        using var world = new NbdWorld();
        NbdClient kernel = world.Adopt();
        byte[] data = new byte[64 << 10];
        data.AsSpan().Fill(9);
        kernel.Wire.Send(NbdClient.RequestBytes(NbdCommand.Write, 5, 0, (uint)data.Length), data[..512]);
        world.Until(() => kernel.Wire.AllSent, "the first bytes are sent");
        world.Pass(NbdWorld.Second);
        bool finished = false;
        world.Server.FinishSessions("restart", () => finished = true);
        world.Pass(NbdWorld.Second);
        Assert.False(finished);

        kernel.Wire.Send(data[512..]);
        world.Until(() => finished, "the write was carried out");
        Assert.Equal(NbdSimpleReplyHeader.SizeBytes, kernel.Wire.TakeToEnd().Length);
        Assert.Equal(data, world.DiskBytesAt(0, data.Length));
    }

    [Fact]
    public void An_end_in_order_closes_an_idle_connection_and_one_in_the_handshake_at_once()
    {
        using var world = new NbdWorld();
        NbdClient kernel = world.Adopt();
        var greeted = new NbdClient(world.Connect());
        greeted.Greet();
        world.Until(() => world.Server.Sessions == 2, "both are there");
        bool finished = false;
        world.Server.FinishSessions("restart", () => finished = true);
        Assert.Empty(kernel.Wire.TakeToEnd());
        world.Until(() => finished, "nothing is left");
        world.UntilEmpty();
    }
}
