using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Tests;

public class ResourceOracleTests
{
    private const int Sector = Stamp.SectorBytes;

    private readonly ResourceOracle _oracle = new(1, 64 * 1024);

    [Fact]
    public void What_a_disk_held_before_is_legal_only_on_a_copy_that_was_made_to_count_too_early()
    {
        byte[] litter = new byte[Sector];
        litter[3] = 7;
        _oracle.Litter(0, 1, litter);
        _oracle.AcceptLoss();
        Assert.False(_oracle.IsLegalLoss(0, 1, litter));

        _oracle.AcceptLitter();
        Assert.True(_oracle.IsLegalLoss(0, 1, litter));
        Assert.False(_oracle.IsLegalLoss(0, 2, litter));
        litter[400] ^= 1;
        Assert.False(_oracle.IsLegalLoss(0, 1, litter));
    }

    [Fact]
    public void What_lay_where_a_volume_grew_is_legal_once_loss_is_and_nothing_else_that_no_write_left()
    {
        byte[] before = [.. Enumerable.Repeat((byte)0xa5, Stamp.SectorBytes)];
        _oracle.LitterGrowth(0, 1, [.. Enumerable.Repeat((byte)0x5a, Stamp.SectorBytes)]);
        _oracle.LitterGrowth(0, 1, before);
        Assert.False(_oracle.IsLegalLoss(0, 1, before));
        _oracle.AcceptLoss();
        Assert.True(_oracle.IsLegalLoss(0, 1, before));
        Assert.False(_oracle.IsLegalLoss(0, 2, before));
        before[7]++;
        Assert.False(_oracle.IsLegalLoss(0, 1, before));
    }

    [Fact]
    public void An_acknowledged_write_is_what_is_read()
    {
        Mutation write = Write();
        _oracle.Acknowledge(write);
        Read(write);
        AssertIllegal(null);
    }

    [Fact]
    public void A_write_under_way_may_be_seen_or_not_but_is_not_unseen_again()
    {
        Mutation write = Write();
        Read(null);
        Read(write);
        AssertIllegal(null);
    }

    [Fact]
    public void Of_two_writes_at_a_time_either_may_win_and_then_stays()
    {
        Mutation one = Write();
        Mutation other = Write();
        _oracle.Acknowledge(other);
        _oracle.Acknowledge(one);
        Read(other);
        Read(other);
        AssertIllegal(one);
        AssertIllegal(null);
    }

    [Fact]
    public void A_write_replaces_what_was_acknowledged_before_it_began()
    {
        Mutation older = Write();
        _oracle.Acknowledge(older);
        Mutation newer = Write();
        Read(older);
        _oracle.Acknowledge(newer);
        AssertIllegal(older);
        Read(newer);
    }

    [Fact]
    public void A_failed_write_may_be_there_or_not_but_does_not_appear_later()
    {
        Mutation failed = Write();
        _oracle.Fail(failed);
        Read(null);
        AssertIllegal(failed);
    }

    [Fact]
    public void A_write_that_outlives_its_server_may_be_done_later_and_what_it_covered_may_be_back()
    {
        Mutation older = Write();
        _oracle.Acknowledge(older);
        Mutation waiting = Write();
        Read(waiting);
        _oracle.ServerDiedUnder([waiting]);
        Read(older);
        Read(waiting);
        _oracle.Acknowledge(waiting);
        AssertIllegal(older);
    }

    [Fact]
    public void A_write_that_is_done_once_more_must_not_cover_what_began_after_its_answer()
    {
        Mutation replayed = Write();
        _oracle.ServerDiedUnder([replayed]);
        _oracle.Acknowledge(replayed);
        Mutation newer = Write();
        _oracle.Acknowledge(newer);
        AssertIllegal(replayed);
        Read(newer);
    }

    [Fact]
    public void A_read_may_see_what_was_overwritten_while_it_was_under_way()
    {
        Mutation older = Write();
        _oracle.Acknowledge(older);
        ReadInProgress read = _oracle.BeginRead(0, 0, Sector);
        Mutation between = Write(forceUnitAccess: true);
        _oracle.Acknowledge(between);
        Mutation newer = Write(forceUnitAccess: true);
        _oracle.Acknowledge(newer);
        _oracle.EndRead(read, Contents(between));
        Read(newer);
        AssertIllegal(between);
    }

    [Fact]
    public void What_was_read_of_an_unacknowledged_write_may_be_gone_after_a_crash_and_then_stays_gone()
    {
        Mutation write = Write();
        Read(write);
        _oracle.ServerDied([write]);
        Read(null);
        AssertIllegal(write);
    }

    [Fact]
    public void A_crash_takes_nothing_acknowledged_away()
    {
        Mutation write = Write();
        _oracle.Acknowledge(write);
        Mutation next = Write();
        _oracle.ServerDied([next]);
        AssertIllegal(null);
        Read(write);
    }

    [Fact]
    public void Only_a_power_cut_takes_unflushed_writes_away_and_a_flush_protects_them()
    {
        Mutation flushed = Write();
        _oracle.Acknowledge(flushed);
        _oracle.EndFlush(_oracle.BeginFlush());
        Mutation unflushed = Write();
        _oracle.Acknowledge(unflushed);
        AssertIllegal(flushed);
        _oracle.RollBack();
        AssertIllegal(null);
        Read(flushed);
        AssertIllegal(unflushed);
    }

    [Fact]
    public void A_flush_does_not_protect_what_was_acknowledged_after_it_began()
    {
        FlushInProgress flush = _oracle.BeginFlush();
        Mutation write = Write();
        _oracle.Acknowledge(write);
        _oracle.EndFlush(flush);
        _oracle.RollBack();
        Read(null);
    }

    [Fact]
    public void A_durable_write_survives_a_power_cut_by_itself()
    {
        Mutation write = Write(forceUnitAccess: true);
        _oracle.Acknowledge(write);
        _oracle.RollBack();
        AssertIllegal(null);
        Read(write);
    }

    [Fact]
    public void A_copy_that_is_behind_lacks_the_latest_writes_only()
    {
        Mutation first = WriteTo(0);
        _oracle.Acknowledge(first);
        Mutation second = WriteTo(1);
        _oracle.Acknowledge(second);
        Mutation third = WriteTo(2);
        _oracle.Acknowledge(third);

        Assert.Throws<RuleBroken>(() => _oracle.FallBehind(Copy(null, second, third)));
        Assert.Throws<RuleBroken>(() => _oracle.FallBehind(Copy(first, null, third)));
        Assert.Equal(2 * Sector, _oracle.FallBehind(Copy(first, null, null)));
    }

    [Fact]
    public void Of_two_volumes_the_order_of_writes_is_one()
    {
        var oracle = new ResourceOracle(2, 64 * 1024);
        Mutation first = oracle.Submit(MutationKind.Write, 0, 0, Sector, forceUnitAccess: false);
        oracle.Acknowledge(first);
        Mutation second = oracle.Submit(MutationKind.Write, 1, 0, Sector, forceUnitAccess: false);
        oracle.Acknowledge(second);
        Assert.Throws<RuleBroken>(() => oracle.FallBehind(Holding(second)));
        Assert.Equal(Sector, oracle.FallBehind(Holding(first)));

        static ResourceOracle.SectorReader Holding(Mutation only) => (volume, sector, contents) =>
        {
            contents.Clear();
            if (volume == only.Volume)
            {
                Stamp.Fill(contents, volume, sector, only.Number);
            }
        };
    }

    [Fact]
    public void What_an_earlier_failure_took_is_not_lost_once_more()
    {
        _oracle.Acknowledge(WriteTo(0));
        _oracle.RollBack();
        Mutation later = WriteTo(1);
        _oracle.Acknowledge(later);
        Assert.Equal(0, _oracle.FallBehind(Copy(null, later, null)));
    }

    [Fact]
    public void Writes_that_were_under_way_at_the_same_time_may_be_there_in_any_order()
    {
        Mutation first = WriteTo(0);
        Mutation second = WriteTo(1);
        _oracle.Acknowledge(first);
        _oracle.Acknowledge(second);
        Assert.Equal(Sector, _oracle.FallBehind(Copy(null, second, null)));
    }

    [Fact]
    public void A_copy_that_is_behind_has_what_was_flushed_or_read()
    {
        Mutation flushed = Write();
        _oracle.Acknowledge(flushed);
        _oracle.EndFlush(_oracle.BeginFlush());
        Mutation read = Write();
        _oracle.Acknowledge(read);
        Read(read);
        Mutation unread = Write();
        _oracle.Acknowledge(unread);
        AssertIllegal(read);
        _oracle.FallBehind(Copy(read, null, null));
        AssertIllegal(flushed);
        Read(read);
    }

    [Fact]
    public void A_value_that_came_back_after_a_power_cut_can_be_lost_again_until_it_is_flushed()
    {
        Mutation write = Write();
        _oracle.Acknowledge(write);
        _oracle.RollBack();
        Read(write);
        _oracle.RollBack();
        Read(null);
    }

    [Fact]
    public void After_a_discard_anything_is_legal_until_the_next_write()
    {
        Mutation write = Write();
        _oracle.Acknowledge(write);
        Mutation discard = _oracle.Submit(MutationKind.Discard, 0, 0, Sector, false);
        _oracle.Acknowledge(discard);
        Read(null);
        Read(write);
        Mutation next = Write();
        _oracle.Acknowledge(next);
        AssertIllegal(write);
    }

    [Fact]
    public void A_sector_that_is_torn_or_misplaced_is_illegal()
    {
        Mutation write = Write(lengthBytes: 2 * Sector);
        _oracle.Acknowledge(write);
        byte[] both = new byte[2 * Sector];
        Stamp.Fill(both, 0, 0, write.Number);
        both[Sector + 100] ^= 1;
        Assert.Throws<RuleBroken>(() => _oracle.EndRead(_oracle.BeginRead(0, 0, 2 * Sector), both));

        Stamp.Fill(both, 0, 1, write.Number);
        Assert.Throws<RuleBroken>(() => _oracle.EndRead(_oracle.BeginRead(0, 0, 2 * Sector), both));
    }

    private Mutation WriteTo(int sector) =>
        _oracle.Submit(MutationKind.Write, 0, sector * Sector, Sector, forceUnitAccess: false);

    /// <summary>A copy of which the first sectors hold these.</summary>
    private static ResourceOracle.SectorReader Copy(params Mutation?[] held) => (volume, sector, contents) =>
    {
        contents.Clear();
        if (held[sector] is { } mutation)
        {
            Stamp.Fill(contents, volume, sector, mutation.Number);
        }
    };

    private Mutation Write(int lengthBytes = Sector, bool forceUnitAccess = false) =>
        _oracle.Submit(MutationKind.Write, 0, 0, lengthBytes, forceUnitAccess);

    private void Read(Mutation? found) => _oracle.EndRead(_oracle.BeginRead(0, 0, Sector), Contents(found));

    private void AssertIllegal(Mutation? found) => Assert.Throws<RuleBroken>(() => Read(found));

    private static byte[] Contents(Mutation? found)
    {
        byte[] sector = new byte[Sector];
        if (found is not null)
        {
            Stamp.Fill(sector, 0, 0, found.Number);
        }

        return sector;
    }
}
