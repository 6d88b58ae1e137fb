using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Replication;

/// <summary>Going on alone: what has to be over, and what has to be stored, before a node serves.</summary>
public class TakeoverTests
{
    [Fact]
    public void What_the_lost_link_left_in_flight_lands_before_the_new_primary_serves()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "apply");
        pair.A.Write(5, 1);
        pair.LinkDown();
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Run();
        ManualRequest write = pair.B.Write(5, 2);
        pair.Go(pair.B, "apply");
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        write = write.Result == 0 ? write : pair.B.Write(5, 2);
        Assert.Equal(0, write.Result);
        Assert.Equal(2, pair.B.Disk[5]);
    }

    [Fact]
    public void An_override_is_stored_together_with_its_generation()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();
        Generation before = pair.B.Replica.State.Current;
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Complete(pair.B, "superblock");
        Superblock stored = pair.B.Stored[0];
        Assert.Equal(ProofKind.OperatorOverride, stored.Proof.Kind);
        Assert.Equal(before, stored.Bitmap);
        Assert.True(stored.WasPrimary);
    }

    [Fact]
    public void A_forced_promotion_that_meets_a_returning_peer_is_answered()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();
        pair.Stop(pair.B, "superblock");
        pair.A.Replica.Stop(pair.A.Answer);
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.LinkUp();
        pair.LinkDown();
        pair.LinkUp();
        pair.Go(pair.B, "superblock");
        Assert.Single(pair.B.Answers);
    }

    [Fact]
    public void An_arbiters_answer_to_a_past_question_lets_the_primary_ask_anew()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.LinkDown();
        SessionId first = Assert.Single(pair.A.Claims);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        pair.LinkDown();
        ManualRequest write = pair.A.Write(1, 1);
        pair.A.Replica.ArbiterAnswered(first, ClaimAnswer.Granted);
        pair.Run();
        Assert.Null(write.Result);
        Assert.Equal(2, pair.A.Claims.Count);
        Assert.Equal(pair.A.Replica.State.Session, pair.A.Claims[1]);
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[1], ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(0, write.Result);
    }

    [Fact]
    public void A_late_refusal_does_not_undo_the_operators_override()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.LinkDown();
        pair.Stop(pair.A, "superblock");
        pair.A.Replica.Promote(true, pair.A.Answer);
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[0], ClaimAnswer.Refused);
        pair.Go(pair.A, "superblock");
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        Assert.Equal(DiskState.UpToDate, pair.A.Stored[0].DiskState);
    }

    [Fact]
    public void A_refused_primary_stores_outdated_and_fails_what_it_held()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.LinkDown();
        ManualRequest write = pair.A.Write(1, 1);
        Assert.Null(write.Result);
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[0], ClaimAnswer.Refused);
        pair.Run();
        Assert.Equal(5, write.Result);
        Assert.Equal(DiskState.Outdated, pair.A.Stored[0].DiskState);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
    }

    [Fact]
    public void From_the_store_of_a_new_session_on_the_old_proof_is_none()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.LinkDown();
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[0], ClaimAnswer.Granted);
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        pair.Stop(pair.A, "superblock");
        pair.Go(pair.A, "copy");
        Assert.Equal(1, pair.Waiting(pair.A, "superblock"));
        pair.LinkDown();
        ManualRequest write = pair.A.Write(2, 2);
        Assert.Null(write.Result);
        pair.Go(pair.A, "superblock");
        Assert.Null(write.Result);
        Assert.Equal(2, pair.A.Claims.Count);
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[1], ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(0, write.Result);
        Assert.NotEqual(pair.A.Claims[0], pair.A.Claims[1]);
    }
}
