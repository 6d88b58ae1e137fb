using MirrorD.Core.Replication;
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
        ManualPair pair = Serving(mode);
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
    [InlineData(VolumeOperation.Write)]
    [InlineData(VolumeOperation.Flush)]
    [InlineData(VolumeOperation.Read)]
    public void Nor_by_a_primary_without_disk(VolumeOperation operation)
    {
        ManualPair pair = Serving();
        pair.A.FailsWrites = true;
        Assert.Equal(0, pair.A.Write(1, 6).Result);
        Assert.Equal(WritePath.Remote, pair.A.Replica.Path);
        pair.Tick();
        pair.Stop(pair.B, "send");
        pair.Stop(pair.A, "close");
        ManualRequest request = operation == VolumeOperation.Write ? pair.A.Write(1, 7) : pair.A.Submit(operation, 1);
        pair.Run();
        Assert.Null(request.Result);
        pair.Advance(LinkTimeoutNs + 1);
        pair.Go(pair.B, "send");
        Assert.Null(request.Result);
        pair.Go(pair.A, "close");
        Assert.Equal(1, pair.A.Replica.HeldRequests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nor_when_the_peers_data_has_been_written_over_what_was_unreadable(bool fails)
    {
        ManualPair pair = Serving();
        Assert.Equal(0, pair.A.Write(1, 6).Result);
        pair.Tick();
        pair.A.Unreadable.Add(1);
        pair.Stop(pair.A, "repair");
        pair.Stop(pair.A, "close");
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        Assert.Null(read.Result);
        pair.Advance(LinkTimeoutNs + 1);
        pair.A.FailsWrites = fails;
        pair.Go(pair.A, "repair");
        Assert.Null(read.Result);
        Assert.Equal(1, pair.A.Replica.HeldRequests);
    }

    [Fact]
    public void Nor_while_the_role_is_given_up()
    {
        ManualPair pair = Serving();
        pair.Tick();
        pair.Stop(pair.A, "write");
        pair.Stop(pair.A, "close");
        ManualRequest write = pair.A.Write(1, 7);
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        pair.Advance(LinkTimeoutNs + 1);
        pair.Go(pair.A, "write");
        Assert.NotEqual(0, write.Result);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
    }

    [Theory]
    [InlineData(VolumeOperation.Write, "a write")]
    [InlineData(VolumeOperation.Write, "b send")]
    [InlineData(VolumeOperation.Flush, "a flush")]
    [InlineData(VolumeOperation.Flush, "b send")]
    [InlineData(VolumeOperation.Read, "a read")]
    public void What_ends_in_time_is_answered(VolumeOperation operation, string last)
    {
        ManualPair pair = Serving();
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

    private static ManualPair Serving(ReplicationMode mode = ReplicationMode.Sync) =>
        ManualPair.Serving(adjust: s => s with { Mode = mode, LinkTimeoutNs = LinkTimeoutNs });
}
