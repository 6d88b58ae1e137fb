using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using static MirrorD.Engine.Tests.Nbd.NbdClient;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>
/// Bytes that no client should send: one event, connection closed, others unaffected, nothing left.
/// </summary>
public sealed class MalformedInputTests
{
    private static readonly byte[] Flags = UInt32(3);
    private static readonly byte[] Open = [.. Flags, .. OptionBytes(NbdOption.Go, GoData(""))];

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "unknown client flags 0xffffffff", [0xff, 0xff, 0xff, 0xff] },
        { "unknown client flags 0x7", [0, 0, 0, 7] },
        { "unknown client flags 0x47455420", [.. "GET / HTTP/1.1\r\n\r\n"u8] },
        { "an option without its magic", [.. Flags, .. new byte[16]] },
        { "an option without its magic", [.. Flags, .. OptionBytes(NbdOption.List), .. new byte[16]] },
        { "option 7 with 16385 bytes of data, more than 16384",
            [.. Flags, .. OptionBytes(NbdOption.Go, new byte[(16 << 10) + 1])] },
        { "option 99 with 4294967295 bytes of data, more than 16384",
            [.. Flags, .. "IHAVEOPT"u8, .. UInt32(99), .. UInt32(uint.MaxValue)] },
        { "option 3 from a client that does not speak fixed newstyle",
            [.. UInt32(0), .. OptionBytes(NbdOption.List)] },
        { "more than 256 options",
            [.. Flags, .. Enumerable.Repeat(OptionBytes(NbdOption.List), 257).SelectMany(b => b)] },
        { "closed by the client in the middle of a message", [0, 0] },
        { "closed by the client in the middle of a message", [.. Flags, .. "IHAVE"u8] },
        { "closed by the client in the middle of a message",
            [.. Flags, .. OptionBytes(NbdOption.Go, GoData("mail/data"))[..^1]] },
        { "a request without its magic", [.. Open, .. new byte[28]] },
        { "a request without its magic", [.. Open, .. OptionBytes(NbdOption.Abort), .. new byte[12]] },
        { "a request without its magic",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 0, 512), .. new byte[512], .. new byte[28]] },
        { "a write of 67108865 bytes, more than 67108864",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 0, (64 << 20) + 1)] },
        { "a write of 4294967295 bytes, more than 67108864",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 0, uint.MaxValue)] },
        { "closed by the client in the middle of a message",
            [.. Open, .. RequestBytes(NbdCommand.Read, 1, 0, 512)[..27]] },
        { "closed by the client in the middle of a message",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 0, 512), .. new byte[100]] },
        { "closed by the client in the middle of a message",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 0, 512)] },
        { "closed by the client in the middle of a message",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 1, 1 << 20), .. new byte[1000]] },
        { "closed by the client in the middle of a write",
            [.. Open, .. RequestBytes(NbdCommand.Write, 1, 0, 1 << 20), .. new byte[1000]] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Bad_bytes_end_their_own_connection_and_no_other(string expected, byte[] bytes)
    {
        using var world = new NbdWorld();
        NbdClient other = world.Open();
        NbdWire wire = world.Connect();
        wire.Send(bytes);
        wire.Until(() => wire.AllSent || wire.IsEnded, "all is sent");
        world.Pass(NbdWorld.Second);
        if (!wire.IsEnded)
        {
            wire.Close();
        }

        world.Until(() => world.Server.Sessions == 1, "the bad connection is forgotten");
        NbdEvent told = Assert.Single(world.Events,
            e => e.Kind is NbdEventKind.Violation or NbdEventKind.Lost);
        Assert.Equal(expected, told.Text);
        Assert.NotEqual("", told.Client);
        Assert.Equal(NbdError.None, other.Write(0, new byte[512]));
        Assert.Equal(world.Pool.Slots, world.Pool.FreeSlots);
    }

    [Fact]
    public void An_empty_connection_is_not_worth_an_event()
    {
        using var world = new NbdWorld();
        world.Connect().Close();
        world.UntilEmpty();
        Assert.Empty(world.Events);
    }

    /// <summary>
    /// Random bytes, and valid conversations with random damage, from seeds; the server must neither throw,
    /// nor hang, nor keep anything, nor hurt the client beside them.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_and_damaged_bytes_leave_nothing_behind(int seed)
    {
        var random = new Random(seed);
        using var world = new NbdWorld(slots: 8, seed: (ulong)seed);
        NbdClient other = world.Open();
        for (int round = 0; round < 150; round++)
        {
            NbdWire wire = world.Connect();
            wire.Send(RandomConversation(random));
            world.Pass(random.Next(1, 20) * 1_000_000L);
            wire.Close();
            Assert.Equal(NbdError.None, other.Write(0, new byte[512]));
            world.Until(() => world.Server.Sessions == 1, $"the connection of round {round} is forgotten");
            Assert.Equal(world.Pool.Slots, world.Pool.FreeSlots);
        }
    }

    private static byte[] RandomConversation(Random random)
    {
        byte[] noise = new byte[random.Next(0, 3000)];
        random.NextBytes(noise);
        if (random.Next(4) == 0)
        {
            return noise;
        }

        var bytes = new List<byte>(Flags);
        for (int i = random.Next(3); i > 0; i--)
        {
            byte[] data = noise[..random.Next(Math.Min(noise.Length, 64) + 1)];
            bytes.AddRange(OptionBytes((NbdOption)random.Next(12), data));
        }

        if (random.Next(2) == 0)
        {
            bytes.AddRange(OptionBytes(NbdOption.StructuredReply));
        }

        bytes.AddRange(OptionBytes(NbdOption.Go, GoData("")));
        for (int i = random.Next(40); i > 0; i--)
        {
            var command = (NbdCommand)random.Next(10);
            uint length = (uint)(random.Next(4) == 0 ? random.Next(1 << 22) : random.Next(100) * 512);
            ulong offset = random.Next(8) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(1000) * 512;
            bytes.AddRange(RequestBytes(command, (ulong)i, offset, length, (NbdCommandFlags)random.Next(4)));
            if (command == NbdCommand.Write && random.Next(10) > 0)
            {
                bytes.AddRange(new byte[length]);
            }
        }

        bytes.AddRange(noise);
        byte[] damaged = [.. bytes];
        for (int i = random.Next(3); i > 0; i--)
        {
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
        }

        return damaged;
    }
}
