using MirrorD.Core.Replication;

namespace MirrorD.Core.Tests.Replication;

public class ActivityLogTests
{
    [Fact]
    public void A_new_log_is_empty_and_has_nothing_to_store()
    {
        var log = new ActivityLog(4);
        Assert.Equal(0, log.Count);
        Assert.False(log.NeedsStore);
        Assert.False(log.IsStoring);
    }

    [Fact]
    public void An_extent_is_active_only_once_a_transaction_that_holds_it_is_durable()
    {
        var log = new ActivityLog(4);
        Assert.Equal(ActivityEntry.Pending, log.Enter(7, 7, out long ticket));
        Assert.True(log.NeedsStore);
        Assert.Equal([7u], log.BeginStore().ToArray());
        Assert.False(log.NeedsStore);
        Assert.True(log.DurableThrough < ticket);
        log.StoreDone();
        Assert.True(log.DurableThrough >= ticket);
        Assert.Equal(ActivityEntry.Active, log.Enter(7, 7, out _));
    }

    [Fact]
    public void An_extent_that_enters_while_a_transaction_runs_waits_for_the_next_one()
    {
        var log = new ActivityLog(4);
        log.Enter(1, 1, out _);
        log.BeginStore();
        Assert.Equal(ActivityEntry.Pending, log.Enter(2, 2, out long ticket));
        log.StoreDone();
        Assert.True(log.DurableThrough < ticket);
        Assert.True(log.NeedsStore);
        Assert.Equal([1u, 2u], log.BeginStore().ToArray());
        log.StoreDone();
        Assert.True(log.DurableThrough >= ticket);
    }

    [Fact]
    public void Many_extents_share_one_transaction_which_lists_them_in_ascending_order()
    {
        var log = new ActivityLog(8);
        log.Enter(5, 5, out _);
        log.Enter(1, 2, out _);
        log.Enter(9, 9, out _);
        Assert.Equal([1u, 2u, 5u, 9u], log.BeginStore().ToArray());
    }

    [Fact]
    public void A_range_waits_for_its_youngest_extent()
    {
        var log = new ActivityLog(4);
        Store(log, 1);
        Assert.Equal(ActivityEntry.Pending, log.Enter(1, 2, out long ticket));
        log.BeginStore();
        log.StoreDone();
        Assert.True(log.DurableThrough >= ticket);
        Assert.Equal(ActivityEntry.Active, log.Enter(1, 2, out _));
    }

    [Fact]
    public void A_full_log_enters_nothing_and_takes_the_range_again_when_something_became_clean()
    {
        var log = new ActivityLog(4);
        for (uint extent = 0; extent < 4; extent++)
        {
            Store(log, extent);
        }

        log.Leave(0, 0, touch: 1);
        Assert.Equal(ActivityEntry.Full, log.Enter(10, 10, out _));
        Assert.Equal(4, log.Count);
        log.CleanThrough = 1;
        Assert.Equal(ActivityEntry.Pending, log.Enter(10, 10, out _));
        Assert.Equal([1u, 2u, 3u, 10u], log.BeginStore().ToArray());
    }

    [Fact]
    public void The_clean_extent_that_was_touched_longest_ago_goes_first()
    {
        var log = new ActivityLog(4);
        for (uint extent = 0; extent < 4; extent++)
        {
            Store(log, extent);
        }

        log.Leave(2, 2, touch: 1);
        log.Leave(0, 0, touch: 2);
        log.Leave(3, 3, touch: 3);
        log.CleanThrough = 3;
        log.Enter(10, 10, out _);
        Assert.Equal([0u, 1u, 3u, 10u], log.BeginStore().ToArray());
    }

    [Fact]
    public void Several_go_together_and_they_are_those_that_were_touched_longest_ago()
    {
        // A quarter of 16 goes: those with the touches 1 to 4, which are in no order.
        var log = new ActivityLog(16);
        for (uint extent = 1; extent <= 16; extent++)
        {
            Store(log, extent);
            log.Leave(extent, extent, touch: extent * 7 % 17);
        }

        log.CleanThrough = 16;
        log.Enter(100, 100, out _);
        uint[] left = [.. Enumerable.Range(1, 16).Select(extent => (uint)extent).Where(extent => extent * 7 % 17 > 4)];
        Assert.Equal([.. left, 100u], log.BeginStore().ToArray());
    }

    [Fact]
    public void An_extent_of_the_range_that_enters_is_never_given_up_for_it()
    {
        var log = new ActivityLog(2);
        Store(log, 1);
        Store(log, 9);
        log.Leave(1, 1, touch: 1);
        log.Leave(9, 9, touch: 2);
        log.CleanThrough = 2;
        Assert.Equal(ActivityEntry.Pending, log.Enter(1, 2, out _));
        Assert.Equal([1u, 2u], log.BeginStore().ToArray());
    }

    [Fact]
    public void An_extent_that_was_given_up_and_comes_back_needs_a_new_transaction()
    {
        var log = new ActivityLog(1);
        Store(log, 1);
        log.Leave(1, 1, touch: 1);
        log.CleanThrough = 1;
        Store(log, 2);
        log.Leave(2, 2, touch: 2);
        log.CleanThrough = 2;
        Assert.Equal(ActivityEntry.Pending, log.Enter(1, 1, out _));
    }

    [Fact]
    public void Clearing_leaves_nothing_when_everything_is_clean_and_asks_for_a_transaction()
    {
        var log = new ActivityLog(4);
        Store(log, 0);
        Store(log, 3);
        log.Leave(0, 0, touch: 1);
        log.Leave(3, 3, touch: 2);
        log.CleanThrough = 2;
        Assert.True(log.Clear());
        Assert.True(log.NeedsStore);
        Assert.Empty(log.BeginStore().ToArray());
    }

    [Fact]
    public void Clearing_keeps_what_is_in_flight_or_not_clean()
    {
        var log = new ActivityLog(4);
        Store(log, 0);
        Store(log, 1);
        Store(log, 2);
        log.Leave(1, 1, touch: 1);
        log.Leave(2, 2, touch: 2);
        log.CleanThrough = 1;
        Assert.False(log.Clear());
        Assert.Equal([0u, 2u], log.BeginStore().ToArray());
    }

    [Fact]
    public void A_checkpoint_is_due_before_the_log_is_full_and_not_again_before_as_many_were_taken()
    {
        // Of 16 two are the reserve.
        var log = new ActivityLog(16);
        long touch = 0;
        for (uint extent = 0; extent < 15; extent++)
        {
            Assert.False(log.WantsCheckpoint);
            Store(log, extent);
            log.Leave(extent, extent, ++touch);
        }

        Assert.Equal(1, log.Room);
        Assert.True(log.WantsCheckpoint);
        log.CheckpointBegins();
        Assert.False(log.WantsCheckpoint);
        long covered = touch;
        Store(log, 15);
        log.Leave(15, 15, ++touch);
        Assert.Equal(0, log.Room);
        Assert.False(log.WantsCheckpoint);
        log.CleanThrough = covered;
        Assert.Equal(15, log.Room);
    }

    [Fact]
    public void No_checkpoint_is_due_for_what_stays_within_the_log_or_is_in_flight()
    {
        var log = new ActivityLog(16);
        long touch = 0;
        for (uint extent = 0; extent < 16; extent++)
        {
            Store(log, extent);
        }

        // One would gain nothing.
        Assert.Equal(0, log.Room);
        Assert.False(log.WantsCheckpoint);
        log.CheckpointBegins();
        for (int round = 0; round < 3; round++)
        {
            for (uint extent = 0; extent < 16; extent++)
            {
                log.Leave(extent, extent, ++touch);
                Assert.Equal(ActivityEntry.Active, log.Enter(extent, extent, out _));
            }
        }

        Assert.False(log.WantsCheckpoint);
    }

    [Fact]
    public void Leaving_more_often_than_entering_is_a_defect()
    {
        var log = new ActivityLog(4);
        log.Enter(1, 1, out _);
        log.Leave(1, 1, touch: 1);
        Assert.Throws<InvariantViolation>(() => log.Leave(1, 1, touch: 2));
    }

    [Fact]
    public void One_transaction_runs_at_a_time()
    {
        var log = new ActivityLog(4);
        Assert.Throws<InvariantViolation>(log.StoreDone);
        log.Enter(1, 1, out _);
        log.BeginStore();
        Assert.Throws<InvariantViolation>(() => log.BeginStore());
    }

    /// <summary>Enters the extent and makes it durable.</summary>
    private static void Store(ActivityLog log, uint extent)
    {
        Assert.NotEqual(ActivityEntry.Full, log.Enter(extent, extent, out _));
        log.BeginStore();
        log.StoreDone();
    }
}
