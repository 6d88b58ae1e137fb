using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// In mode memory a write may be answered that a Standby has in memory only. Until its disk has that, it takes no right from
/// its peer, whose copy has it (safety contract, section 5).
/// </summary>
public class ReceivedFirstTests
{
    [Fact]
    public void A_standby_that_dies_before_its_disk_has_what_it_received_has_not_had_its_peer_outdated()
    {
        FailoverStory story = PartedWithWriteInMemory();
        story.B.Replica.Promote(false, story.B.Answer);
        story.Seconds(1);
        Assert.Equal(DiskState.UpToDate, story.A.Stored[0].DiskState);
        Assert.Empty(story.B.Answers);

        // Nothing of what it had under way comes to its disk.
        story.Pair.TakeAll(story.B);
        story.Kill(story.B);
        story.Start(story.B);
        story.Pair.Go(story.B, "apply");
        story.HealAll();
        Assert.Equal(LinkPhase.Joined, story.A.Replica.Phase);
        Assert.Equal((7, 7), (story.A.Disk[1], story.B.Disk[1]));
    }

    [Fact]
    public void A_standby_whose_disk_fails_under_what_it_received_has_not_had_its_peer_outdated()
    {
        FailoverStory story = PartedWithWriteInMemory();
        story.B.Replica.Promote(false, story.B.Answer);
        story.Seconds(1);
        story.B.FailsWrites = true;
        story.B.FailsStores = true;
        story.Pair.Go(story.B, "apply");
        Assert.Contains(story.B.Events, e => e.StartsWith("failure-not-stored", StringComparison.Ordinal));
        Assert.False(Assert.Single(story.B.Answers).Succeeded);
        story.Seconds(1);
        Assert.Equal(DiskState.UpToDate, story.A.Stored[0].DiskState);
        story.WithoutArbiter.Clear();
        story.A.Replica.Promote(false, story.A.Answer);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
    }

    [Fact]
    public void A_standby_has_its_peer_outdated_when_its_disk_has_what_it_received()
    {
        FailoverStory story = PartedWithWriteInMemory();
        story.B.Replica.Promote(false, story.B.Answer);
        story.Pair.Go(story.B, "apply");
        Assert.Contains(story.B.Controls, message => message is ControlMessage.OutdateRequest);
        story.Tick(2);
        Assert.Equal(DiskState.Outdated, story.A.Stored[0].DiskState);
        Assert.Equal((Role.Primary, 7), (story.B.Replica.Role, story.B.Disk[1]));
    }

    [Fact]
    public void A_standby_claims_nothing_before_its_disk_has_what_it_received()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, adjust: InMemory);
        story.Pair.Stop(story.B, "apply");
        Assert.Equal(0, story.A.Write(1, 7).Result);
        story.WithoutArbiter.Add(story.A);
        story.CutAll();
        story.Seconds(10);
        Assert.NotEmpty(story.B.Takeovers);
        Assert.Empty(story.B.Claims);
        Assert.Contains("received", story.B.Replica.DescribeHoldUp()?.Reason);
        story.Pair.Go(story.B, "apply");
        Assert.Single(story.B.Claims);
        Assert.Equal((Role.Primary, 7), (story.B.Replica.Role, story.B.Disk[1]));
    }

    [Fact]
    public void Without_arbiter_a_standby_stores_no_proof_before_its_disk_has_what_it_received()
    {
        FailoverStory story = FailoverStory.Serving(adjust: InMemory);
        story.Pair.Stop(story.B, "apply");
        Assert.Equal(0, story.A.Write(1, 7).Result);
        story.Kill(story.A);
        story.Seconds(10);
        Assert.NotEmpty(story.B.Takeovers);
        Assert.Equal(ProofKind.None, story.B.Stored[0].Proof.Kind);
        story.Pair.Go(story.B, "apply");
        Assert.Equal(ProofKind.PeerLossPolicy, story.B.Stored[0].Proof.Kind);
        Assert.Equal((Role.Primary, 7), (story.B.Replica.Role, story.B.Disk[1]));
    }

    private static ReplicaSettings InMemory(ReplicaSettings settings) =>
        settings with { Mode = ReplicationMode.Memory };

    /// <summary>
    /// A has answered a write that B has in memory only, has given the role up without its link, and can be asked over
    /// production.
    /// </summary>
    private static FailoverStory PartedWithWriteInMemory()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false, adjust: InMemory);
        story.WithoutArbiter.UnionWith(story.Nodes);
        story.Pair.Stop(story.B, "apply");
        Assert.Equal(0, story.A.Write(1, 7).Result);
        Assert.Equal((7, 0), (story.A.Disk[1], story.B.Disk[1]));
        story.CutAll();
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        Assert.True(Assert.Single(story.A.Answers).Succeeded);
        story.Heal(PathKind.Production);
        story.Tick();
        return story;
    }
}
