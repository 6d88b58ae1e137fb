using System.Diagnostics;
using MirrorD.Core;
using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator;

/// <summary>Breaks one rule of the product at a time and sees to it that the checks notice.</summary>
public static class Canaries
{
    /// <summary>Every rule that can be broken.</summary>
    public static IEnumerable<BrokenRule> All =>
        Enum.GetValues<BrokenRule>().Where(rule => rule != BrokenRule.None);

    /// <summary>Breaks a rule; one that only a mode has in seeds of that mode, all others in mode sync.</summary>
    public static void Break(BrokenRule rule)
    {
        Canary.Broken = rule;
        VerifyDraw.IsOff = rule is not (BrokenRule.None or BrokenRule.VerifyWithoutRangeLock);
        bool isOfMaintenance = rule is BrokenRule.DisconnectedBeforeOutdated or BrokenRule.InvalidatedBeforeStored;
        MaintenanceDraw.IsOff = rule != BrokenRule.None && !isOfMaintenance;
        MaintenanceDraw.IsForced |= isOfMaintenance;
        FaultDraw.Favoured = rule switch
        {
            BrokenRule.TornSlotAccepted => [FaultKind.PowerCut, FaultKind.BothPowerCut],
            BrokenRule.CopyClearedByEarlierFlush => [FaultKind.TargetPowerCut],
            _ => [],
        };
        ResyncDraw.IsFlushedOften = rule == BrokenRule.CopyClearedByEarlierFlush;
        PolicyDraw.IsOff = rule is not (BrokenRule.None or BrokenRule.PolicyDiscardsChanged or BrokenRule.DiscardedChangesKept);
        PolicyDraw.Favoured ??= rule switch
        {
            BrokenRule.PolicyDiscardsChanged => SplitBrainPolicy.DiscardUnchanged,
            BrokenRule.DiscardedChangesKept => SplitBrainPolicy.DiscardStandby,
            _ => null,
        };
        ModeDraw.Only ??= rule switch
        {
            BrokenRule.MemoryNotAwaited or BrokenRule.TakeoverBeforeApplied or BrokenRule.RightBeforeApplied
                => ReplicationMode.Memory,
            BrokenRule.AheadUnbounded or BrokenRule.ReadAheadOfPeer or BrokenRule.CrashedAheadIsTarget
                or BrokenRule.AheadNotTracked or BrokenRule.AheadRangeGivenUp or BrokenRule.FlushAheadOfPeer
                => ReplicationMode.Async,
            BrokenRule.None => null,
            _ => ReplicationMode.Sync,
        };
    }

    /// <summary>The first seed that notices, and what it said; null when the canary survives.</summary>
    public static Seeds.Outcome? Catch(BrokenRule rule, int seeds)
    {
        ReplicationMode? mode = ModeDraw.Only;
        SplitBrainPolicy? policy = PolicyDraw.Favoured;
        bool isMaintained = MaintenanceDraw.IsForced;
        Break(rule);
        try
        {
            return Seeds.RunMany(1, seeds).Find(outcome => outcome.Failure is not null);
        }
        finally
        {
            Canary.Broken = BrokenRule.None;
            VerifyDraw.IsOff = false;
            MaintenanceDraw.IsOff = false;
            MaintenanceDraw.IsForced = isMaintained;
            FaultDraw.Favoured = [];
            ResyncDraw.IsFlushedOften = false;
            PolicyDraw.IsOff = false;
            PolicyDraw.Favoured = policy;
            ModeDraw.Only = mode;
        }
    }

    /// <summary>Tries all, or those whose name contains the word; 0 when each was noticed.</summary>
    public static int Run(int seeds, string? only)
    {
        int survivors = 0;
        foreach (BrokenRule rule in All.Where(rule => rule.ToString().Contains(only ?? "")))
        {
            long startedAt = Stopwatch.GetTimestamp();
            Seeds.Outcome? caught = Catch(rule, seeds);
            survivors += caught is null ? 1 : 0;
            string verdict = caught is null
                ? $"SURVIVED {seeds} seeds" : $"caught by seed {caught.Seed}: {caught.Failure!.Message}";
            TimeSpan took = Stopwatch.GetElapsedTime(startedAt);
            Console.WriteLine($"{rule} ({took.TotalSeconds:0.0} s): {verdict}");
        }

        return survivors == 0 ? 0 : 1;
    }
}
