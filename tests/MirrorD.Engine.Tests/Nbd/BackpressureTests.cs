using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

public sealed class BackpressureTests
{
    private const int Slot = 128 << 10;

    /// <summary>Everybody wants more than there is; each finishes all the same.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 3, 2)]
    [InlineData(2, 8, 3)]
    [InlineData(3, 8, 4)]
    [InlineData(8, 8, 5)]
    [InlineData(16, 4, 6)]
    public void Many_clients_and_few_slots_never_come_to_a_standstill(int slots, int clients, ulong seed)
    {
        using var world = new NbdWorld(new NbdServerOptions { MaxSessions = 8 }, slots, seed: seed);
        var random = new Random((int)seed);
        var all = new List<NbdClient>();
        for (int i = 0; i < clients; i++)
        {
            all.Add(world.Open(structured: i % 2 == 0));
        }

        const int Requests = 30;
        foreach (NbdClient client in all)
        {
            for (int i = 0; i < Requests; i++)
            {
                bool large = random.Next(3) == 0;
                uint length = (uint)(large ? random.Next(1, 20) * Slot : random.Next(1, 64) * 512);
                bool write = random.Next(2) == 0;
                byte[]? data = write ? new byte[length] : null;
                client.Send(write ? NbdCommand.Write : NbdCommand.Read, 0, length, 0, data);
            }
        }

        foreach (NbdClient client in all)
        {
            for (int i = 0; i < Requests; i++)
            {
                Assert.Equal(NbdError.None, client.TakeAnswer().Error);
            }
        }

        Assert.Equal(slots, world.Pool.FreeSlots);
    }

    [Fact]
    public void An_empty_pool_stops_receiving_and_a_returned_slot_resumes_it()
    {
        using var world = new NbdWorld(slots: 2);
        NbdClient client = world.Open();
        Assert.True(world.Pool.TryRent(out Io.IoBuffer? first));
        Assert.True(world.Pool.TryRent(out Io.IoBuffer? second));
        client.Send(NbdCommand.Write, 0, 4096, 0, new byte[4096]);
        world.Pass(NbdWorld.Second);
        Assert.Equal(0, client.Wire.Available);
        Assert.Equal(0, world.Volume.MostInFlight);
        world.Pool.Return(first);
        Assert.Equal(NbdError.None, client.TakeAnswer().Error);
        world.Pool.Return(second);
    }

    [Fact]
    public void A_client_that_does_not_read_its_replies_does_not_starve_the_others()
    {
        using var world = new NbdWorld(new NbdServerOptions { MaxSessions = 4 }, slots: 16);
        for (int i = 0; i < 3; i++)
        {
            NbdClient stuck = world.Open(structured: i != 1);
            stuck.Wire.Reads = false;
            for (int k = 0; k < 100; k++)
            {
                stuck.Send(NbdCommand.Read, 0, 4 << 20);
            }
        }

        world.Pass(5 * NbdWorld.Second);
        Assert.InRange(world.Pool.FreeSlots, 1, 8);
        NbdClient client = world.Open();
        byte[] data = [.. Enumerable.Repeat((byte)5, 3 * Slot)];
        Assert.Equal(NbdError.None, client.Write(0, data));
        Assert.Equal(data, client.Read(0, data.Length));
    }

    [Fact]
    public void A_client_that_stops_in_the_middle_of_a_write_does_not_starve_the_others()
    {
        using var world = new NbdWorld(new NbdServerOptions { MaxSessions = 4 }, slots: 8);
        for (int i = 0; i < 3; i++)
        {
            world.Open().Send(NbdCommand.Write, 0, 32 << 20, 0, new byte[100_000]);
        }

        world.Pass(NbdWorld.Second);
        NbdClient client = world.Open();
        Assert.Equal(NbdError.None, client.Write(0, new byte[10 * Slot]));
    }

    [Fact]
    public void One_session_holds_no_more_slots_and_requests_than_its_limits()
    {
        var options = new NbdServerOptions { MaxSlotsPerSession = 5, MaxRequestsPerSession = 12 };
        using var world = new NbdWorld(options, slots: 64);
        NbdClient client = world.Open();
        world.Volume.Holds = true;
        for (int i = 0; i < 40; i++)
        {
            client.Send(NbdCommand.Flush);
        }

        world.Until(() => client.Wire.AllSent, "all requests are sent");
        world.Pass(NbdWorld.Second);
        Assert.Equal(12, world.Volume.InFlight);
        world.Volume.Release();
        for (int i = 0; i < 40; i++)
        {
            client.TakeAnswer();
        }

        world.Volume.Holds = true;
        for (int i = 0; i < 40; i++)
        {
            client.Send(NbdCommand.Write, 0, 512, 0, new byte[512]);
        }

        world.Pass(NbdWorld.Second);
        Assert.Equal(5, world.Volume.InFlight);
        Assert.Equal(59, world.Pool.FreeSlots);
        world.Volume.Release();
        for (int i = 0; i < 40; i++)
        {
            client.TakeAnswer();
        }
    }

    [Fact]
    public void A_greedy_client_leaves_slots_for_those_who_come_later()
    {
        using var world = new NbdWorld(new NbdServerOptions { MaxSessions = 4 }, slots: 16);
        NbdClient greedy = world.Open();
        world.Volume.Holds = true;
        for (int i = 0; i < 100; i++)
        {
            greedy.Send(NbdCommand.Write, 0, 512, 0, new byte[512]);
        }

        world.Pass(NbdWorld.Second);
        Assert.Equal(4, world.Pool.FreeSlots);
        world.Volume.Release();
    }
}
