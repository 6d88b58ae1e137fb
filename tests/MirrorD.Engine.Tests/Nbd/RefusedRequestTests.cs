using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>
/// The table of requests that must be refused, in both ways of replying, and without any work done.
/// </summary>
public sealed class RefusedRequestTests
{
    private const ulong Size = 64 << 20;
    private const uint Fua = (uint)NbdCommandFlags.ForceUnitAccess;
    private const uint NoHole = (uint)NbdCommandFlags.NoHole;
    private const uint DontFragment = (uint)NbdCommandFlags.DontFragment;
    private const uint One = (uint)NbdCommandFlags.OneExtent;
    private const uint Fast = (uint)NbdCommandFlags.FastZero;

    public static TheoryData<NbdCommand, uint, ulong, uint, NbdError> Refused => new()
    {
        // Beyond the end.
        { NbdCommand.Read, 0, Size, 512, NbdError.Invalid },
        { NbdCommand.Read, 0, Size - 512, 1024, NbdError.Invalid },
        { NbdCommand.Read, 0, ulong.MaxValue - 511, 1024, NbdError.Invalid },
        { NbdCommand.Read, 0, 1ul << 63, 512, NbdError.Invalid },
        { NbdCommand.Read, 0, Size + 512, 0, NbdError.Invalid },
        { NbdCommand.Write, 0, Size, 512, NbdError.NoSpace },
        { NbdCommand.Write, 0, Size - 512, 1024, NbdError.NoSpace },
        { NbdCommand.Write, Fua, ulong.MaxValue, 512, NbdError.NoSpace },
        { NbdCommand.Write, 0, Size - 512, 32 << 20, NbdError.NoSpace },
        { NbdCommand.WriteZeroes, 0, Size - 512, 1024, NbdError.NoSpace },
        { NbdCommand.WriteZeroes, 0, 0, uint.MaxValue, NbdError.NoSpace },
        { NbdCommand.Trim, 0, Size - 512, 1024, NbdError.Invalid },
        { NbdCommand.Cache, 0, Size - 512, 1024, NbdError.Invalid },
        { NbdCommand.BlockStatus, 0, Size - 512, 1024, NbdError.Invalid },
        // Not aligned to 512.
        { NbdCommand.Read, 0, 1, 512, NbdError.Invalid },
        { NbdCommand.Read, 0, 0, 511, NbdError.Invalid },
        { NbdCommand.Write, 0, 100, 512, NbdError.Invalid },
        { NbdCommand.Write, 0, 512, 1, NbdError.Invalid },
        { NbdCommand.WriteZeroes, 0, 0, 513, NbdError.Invalid },
        { NbdCommand.Trim, 0, 256, 512, NbdError.Invalid },
        { NbdCommand.Cache, 0, 0, 5, NbdError.Invalid },
        { NbdCommand.BlockStatus, 0, 3, 512, NbdError.Invalid },
        // Flags that are unknown, or of another command.
        { NbdCommand.Read, 1 << 5, 0, 512, NbdError.Invalid },
        { NbdCommand.Read, 1 << 15, 0, 512, NbdError.Invalid },
        { NbdCommand.Read, NoHole, 0, 512, NbdError.Invalid },
        { NbdCommand.Write, DontFragment, 0, 512, NbdError.Invalid },
        { NbdCommand.Write, 1 << 5, 0, 40 << 10, NbdError.Invalid },
        { NbdCommand.Flush, One, 0, 0, NbdError.Invalid },
        { NbdCommand.Trim, Fast, 0, 512, NbdError.Invalid },
        { NbdCommand.WriteZeroes, One, 0, 512, NbdError.Invalid },
        { NbdCommand.Cache, NoHole, 0, 512, NbdError.Invalid },
        { NbdCommand.BlockStatus, DontFragment, 0, 512, NbdError.Invalid },
        // Too long.
        { NbdCommand.Read, 0, 0, (32 << 20) + 512, NbdError.Invalid },
        { NbdCommand.Write, 0, 0, (32 << 20) + 512, NbdError.Invalid },
        { NbdCommand.Write, 0, 0, 64 << 20, NbdError.Invalid },
        // Commands that are unknown, or of an extension.
        { (NbdCommand)8, 0, 0, 512, NbdError.Invalid },
        { (NbdCommand)0xffff, 0, 0, 0, NbdError.Invalid },
        // The rest.
        { NbdCommand.Flush, 0, 512, 0, NbdError.Invalid },
        { NbdCommand.Flush, 0, 0, 512, NbdError.Invalid },
        { NbdCommand.BlockStatus, 0, 0, 0, NbdError.Invalid },
        { NbdCommand.WriteZeroes, Fast, 0, 4096, NbdError.NotSupported },
        { NbdCommand.WriteZeroes, Fast | NoHole | Fua, 0, 4096, NbdError.NotSupported },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_request_that_breaks_a_rule_is_refused_and_the_next_one_served(
        NbdCommand command, uint flags, ulong offset, uint length, NbdError expected)
    {
        foreach (bool structured in new[] { true, false })
        {
            using var world = new NbdWorld();
            NbdClient client = world.Open(structured, allocation: structured);
            byte[] payload = command == NbdCommand.Write ? new byte[length] : [];
            Answer answer = client.Call(command, offset, length, (NbdCommandFlags)flags, payload);
            Assert.Equal(expected, answer.Error);
            Assert.Equal(structured, answer.ErrorText.Length > 0);
            Assert.Equal(0, world.Volume.MostInFlight);
            Assert.Equal(NbdError.None, client.Call(NbdCommand.Write, 0, 512, 0, new byte[512]).Error);
            Assert.DoesNotContain(world.Events, e => e.Kind == NbdEventKind.Violation);
        }
    }

    [Theory]
    [InlineData(NbdCommand.Read)]
    [InlineData(NbdCommand.Write)]
    [InlineData(NbdCommand.Trim)]
    [InlineData(NbdCommand.WriteZeroes)]
    [InlineData(NbdCommand.Cache)]
    public void A_request_for_nothing_is_done_without_work(NbdCommand command)
    {
        foreach (bool structured in new[] { true, false })
        {
            using var world = new NbdWorld();
            NbdClient client = world.Open(structured);
            Assert.Equal(NbdError.None, client.Call(command, Size, 0).Error);
            Assert.Equal(NbdError.None, client.Call(command, 0, 0).Error);
            Assert.Equal(0, world.Volume.MostInFlight);
        }
    }

    [Fact]
    public void Block_status_needs_its_context_and_DF_needs_structured_replies()
    {
        using var world = new NbdWorld();
        Assert.Equal(NbdError.Invalid, world.Open().Call(NbdCommand.BlockStatus, 0, 512).Error);
        NbdClient simple = world.Open(structured: false);
        Assert.Equal(NbdError.Invalid, simple.Call(NbdCommand.BlockStatus, 0, 512).Error);
        Assert.Equal(NbdError.Invalid,
            simple.Call(NbdCommand.Read, 0, 512, NbdCommandFlags.DontFragment).Error);
    }

    [Theory]
    [InlineData(NbdCommand.Read)]
    [InlineData(NbdCommand.Flush)]
    [InlineData(NbdCommand.Cache)]
    [InlineData(NbdCommand.BlockStatus)]
    public void FUA_on_a_request_that_writes_nothing_has_no_effect(NbdCommand command)
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(allocation: true);
        world.Volume.Submitted = io => Assert.False(io.ForceUnitAccess);
        uint length = command == NbdCommand.Flush ? 0u : 512;
        Assert.Equal(NbdError.None, client.Call(command, 0, length, NbdCommandFlags.ForceUnitAccess).Error);
    }

    [Fact]
    public void A_volume_with_4096_byte_blocks_refuses_512_byte_requests()
    {
        using var world = new NbdWorld(blockBytes: 4096);
        NbdClient client = world.Open();
        Assert.Equal(NbdError.Invalid, client.Write(512, new byte[4096]));
        Assert.Equal(NbdError.Invalid, client.Write(0, new byte[512]));
        Assert.Equal(NbdError.None, client.Write(4096, new byte[4096]));
    }
}
