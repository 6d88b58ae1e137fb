using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator;

/// <summary>
/// The mode of a seed, drawn apart from everything else: seeds in mode sync are as they were without modes.
/// </summary>
public static class ModeDraw
{
    /// <summary>What parts a primary from what it has just answered.</summary>
    private static readonly FaultKind[] s_parting =
        [FaultKind.Isolation, FaultKind.PowerCut, FaultKind.Kill, FaultKind.Partition, FaultKind.DedicatedCut];

    /// <summary>All seeds are in this mode; null: as drawn.</summary>
    public static ReplicationMode? Only { get; set; }

    /// <summary>The scenario in its mode; long runs of one kind of fault stay in mode sync.</summary>
    public static Scenario Apply(Scenario scenario)
    {
        var random = new SeededRandom(scenario.Seed ^ 0x6d6f6465);
        bool hasOneKindOfFault = scenario.FaultWeights.Count(weight => weight > 0) == 1;
        int drawn = random.Below(100);
        ReplicationMode mode = Only ?? (hasOneKindOfFault || drawn < 50 ? ReplicationMode.Sync
            : drawn < 68 ? ReplicationMode.Memory : ReplicationMode.Async);
        if (mode == ReplicationMode.Sync)
        {
            return scenario;
        }

        Scenario changed = Contested(scenario, random) with
        {
            Mode = mode,
            AsyncBufferBytes = random.Between(64, random.Percent(50) ? 128 : 1024) * 1024,
            AsyncLagMs = (int)random.Between(20, 2000),
        };

        // On a quick network, with clients that think, nothing is ever far ahead; in mode memory also with quick disks.
        bool isMemory = changed.Mode == ReplicationMode.Memory;
        bool hasSlowDisks = isMemory && random.Percent(40);
        changed = random.Percent(isMemory ? 60 : 40) ? WithStalls(changed) : changed;
        return random.Percent(40) ? changed : changed with
        {
            NetworkNs = hasSlowDisks ? scenario.NetworkNs : random.Between(5, 40) * 1_000_000,
            DiskNs = hasSlowDisks ? random.Between(1, 8) * 1_000_000 : scenario.DiskNs,
            ThinkNs = Math.Max(1, scenario.ThinkNs / random.Between(3, isMemory ? 8 : 30)),
        };
    }

    /// <summary>Disks that take seconds for some writes; a limit on them is beyond that.</summary>
    private static Scenario WithStalls(Scenario scenario)
    {
        int[] weights = [.. scenario.FaultWeights];
        bool hadNone = weights[(int)FaultKind.SlowDisk] == 0;
        weights[(int)FaultKind.SlowDisk] += weights.Max();
        return scenario with
        {
            FaultWeights = weights,
            DiskTimeoutMs = scenario.DiskTimeoutMs + (scenario.DiskTimeoutMs > 0 && hadNone ? 6000 : 0),
        };
    }

    /// <summary>In most of them nodes are lost, and taken over from, time and again.</summary>
    private static Scenario Contested(Scenario scenario, SeededRandom random)
    {
        if (scenario.Forces || random.Percent(30))
        {
            return scenario;
        }

        int[] weights = [.. scenario.FaultWeights];
        foreach (FaultKind kind in s_parting)
        {
            weights[(int)kind] += random.Percent(60) ? weights.Max() : 0;
        }

        return scenario with
        {
            HasArbiter = true,
            Autoswitch = true,
            HasLongFaults = true,
            FaultEveryNs = random.Between(600, 2500) * 1_000_000,
            FaultWeights = weights,
        };
    }
}
