using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>The volumes of a resource after a crash between the stores of two of them.</summary>
public class VolumeAgreementTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_store_that_a_crash_interrupted_between_volumes_is_completed(int ahead)
    {
        SimulatedPair pair = Stopped();
        pair.A.Stored(ahead, s => s with { Promotions = 41, WasPrimary = true });
        pair.A.Start();
        pair.Until("loaded", () => pair.A.Resource.Status.Promotions == 41);
        pair.A.Kill();
        for (int volume = 0; volume < 3; volume++)
        {
            Assert.Equal(41u, pair.A.Stored(volume).Promotions);
            Assert.True(pair.A.Stored(volume).WasPrimary);
            Assert.Equal($"v{volume}", pair.A.Stored(volume).VolumeName);
            Assert.Equal(volume, pair.A.Stored(volume).VolumeIndex);
            Assert.Equal(pair.A.Stored(0).Sequence, pair.A.Stored(volume).Sequence);
        }
    }

    [Fact]
    public void The_pair_joins_after_that()
    {
        SimulatedPair pair = Stopped();
        pair.A.Stored(1, s => s with { Promotions = 41 });
        pair.StartBoth();
        pair.Join();
        Assert.Equal(41u, pair.B.Resource.Status.Promotions);
    }

    [Fact]
    public void A_volume_that_is_further_behind_comes_from_another_time()
    {
        SimulatedPair pair = Stopped();
        pair.A.Stored(0, s => s with { Promotions = 41 });
        pair.A.Stored(0, s => s with { Promotions = 42 });
        IsRefused(pair, "volume v1 is 2 changes behind v0");
    }

    [Fact]
    public void A_volume_whose_disk_took_no_metadata_any_more_is_copied_as_a_whole_with_all_others()
    {
        SimulatedPair pair = Stopped();
        for (int store = 0; store < 3; store++)
        {
            pair.A.Stored(0, s => s with { DiskState = DiskState.Inconsistent });
            pair.A.Stored(2, s => s with { DiskState = DiskState.Inconsistent });
        }

        pair.StartBoth();
        pair.Join();
        Assert.Contains(pair.A.Events, e => e.Contains("SameInconsistent, FullSync"));
        pair.A.Kill();
        Assert.Equal(pair.A.Stored(0).Sequence, pair.A.Stored(1).Sequence);
        Assert.Equal(DiskState.UpToDate, pair.A.Stored(1).DiskState);
    }

    [Fact]
    public void Volumes_of_one_step_that_differ_come_from_different_times()
    {
        SimulatedPair pair = Stopped();
        pair.A.Stored(0, s => s with { Promotions = 41 });
        pair.A.Stored(1, s => s with { Current = new Generation(0x77) });
        IsRefused(pair, "volumes v1 and v0 disagree about the resource");
    }

    private static void IsRefused(SimulatedPair pair, string reason)
    {
        pair.A.Start();
        pair.Until("refused", () => pair.A.Resource.Status.HoldUp is not null);
        Assert.Equal("MetadataDamaged", pair.A.Resource.Status.HoldUp!.State);
        Assert.StartsWith("mirrorctl inspect a-meta0 --external", pair.A.Resource.Status.HoldUp!.Remedy, StringComparison.Ordinal);
        Assert.Contains(pair.A.Events, e => e.Contains("load-failed") && e.Contains(reason));
        Assert.False(pair.A.Do(new ResourceCommand.Promote(true)).Succeeded);
    }

    /// <summary>Three volumes on each node, joined once, both nodes stopped by a kill.</summary>
    private static SimulatedPair Stopped()
    {
        var pair = new SimulatedPair(volumes: 3);
        pair.StartBoth();
        pair.Join();
        pair.A.Kill();
        pair.B.Kill();
        return pair;
    }
}
