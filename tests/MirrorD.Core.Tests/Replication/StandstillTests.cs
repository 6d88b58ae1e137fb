using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// A Primary whose process stood still answers nothing before it has joined again, not even what had all but ended when it
/// was stopped: the peer may serve by now.
/// </summary>
public sealed class StandstillTests
{
    private const long LinkTimeoutNs = 1_000_000_000;

    [Theory]
    [InlineData(VolumeOperation.Write, ReplicationMode.Sync, "a write")]
    [InlineData(VolumeOperation.Write, ReplicationMode.Sync, "b send")]
    [InlineData(VolumeOperation.Write, ReplicationMode.Memory, "a write")]
    [InlineData(VolumeOperation.Write, ReplicationMode.Memory, "b send")]
    [InlineData(VolumeOperation.Write, ReplicationMode.Async, "a write")]
    [InlineData(VolumeOperation.Flush, ReplicationMode.Sync, "a flush")]
    [InlineData(VolumeOperation.Flush, ReplicationMode.Sync, "b send")]
    [InlineData(VolumeOperation.Read, ReplicationMode.Sync, "a read")]
    public void Nothing_is_answered_after_a_standstill_in_which_the_peer_may_have_taken_over(
        VolumeOperation operation, ReplicationMode mode, string last)
    {
        ManualPair pair = ManualPair.Serving(adjust: s => s with { Mode = mode, LinkTimeoutNs = LinkTimeoutNs });
        pair.Tick();
        Assert.Equal(0, pair.A.Write(2, 6).Result);
        ManualNode node = last[0] == 'a' ? pair.A : pair.B;
        pair.Stop(node, last[2..]);
        pair.Stop(pair.A, "close");
        ManualRequest request = operation == VolumeOperation.Write ? pair.A.Write(1, 7) : pair.A.Submit(operation, 1);
        pair.Run();
        Assert.Null(request.Result);

        pair.Advance(LinkTimeoutNs + 1);
        pair.Go(node, last[2..]);
        Assert.Null(request.Result);

        pair.Go(pair.A, "close");
        Assert.Equal(1, pair.A.Replica.HeldRequests);
        pair.LinkUp();
        Assert.Equal(0, request.Result);
    }

    [Theory]
    [InlineData(VolumeOperation.Write, "a write")]
    [InlineData(VolumeOperation.Write, "b send")]
    [InlineData(VolumeOperation.Flush, "a flush")]
    [InlineData(VolumeOperation.Flush, "b send")]
    [InlineData(VolumeOperation.Read, "a read")]
    public void What_ends_in_time_is_answered(VolumeOperation operation, string last)
    {
        ManualPair pair = ManualPair.Serving(adjust: s => s with { LinkTimeoutNs = LinkTimeoutNs });
        pair.Tick();
        Assert.Equal(0, pair.A.Write(2, 6).Result);
        ManualNode node = last[0] == 'a' ? pair.A : pair.B;
        pair.Stop(node, last[2..]);
        ManualRequest request = operation == VolumeOperation.Write ? pair.A.Write(1, 7) : pair.A.Submit(operation, 1);
        pair.Run();
        Assert.Null(request.Result);

        pair.Advance(LinkTimeoutNs - 1);
        pair.Go(node, last[2..]);
        Assert.Equal(0, request.Result);
    }
}
