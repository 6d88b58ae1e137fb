using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>What a seed says about a run: the pair, its load, and which faults it meets.</summary>
public sealed record Scenario
{
    private const long Mebibyte = 1024 * 1024;

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }
    /// <summary>Volumes of the resource.</summary>
    public required int Volumes { get; init; }
    /// <summary>Size of each volume's data.</summary>
    public required long VolumeBytes { get; init; }
    /// <summary>Logical block of the disks.</summary>
    public required int BlockBytes { get; init; }
    /// <summary>Metadata on a disk of its own instead of at the end of the data.</summary>
    public required bool ExternalMetadata { get; init; }
    /// <summary>Whose data counts at creation, from the view of node a.</summary>
    public required CreationSource CreationAtA { get; init; }
    /// <summary>What a primary does alone.</summary>
    public required PeerLoss OnPeerLoss { get; init; }
    /// <summary>There is an arbiter.</summary>
    public required bool HasArbiter { get; init; }
    /// <summary>The operator forces promotions when stuck: loss is then legal.</summary>
    public required bool Forces { get; init; }
    /// <summary>Longest usual time of a disk operation; flushes take ten times as long.</summary>
    public required long DiskNs { get; init; }
    /// <summary>Longest usual time of a byte between the nodes.</summary>
    public required long NetworkNs { get; init; }
    /// <summary>Clients.</summary>
    public required int Clients { get; init; }
    /// <summary>Requests that one client has in flight.</summary>
    public required int Depth { get; init; }
    /// <summary>Mean pause of a client between requests.</summary>
    public required long ThinkNs { get; init; }
    /// <summary>How long faults go on.</summary>
    public required long FaultsNs { get; init; }
    /// <summary>Mean time between faults; 0 means none.</summary>
    public required long FaultEveryNs { get; init; }
    /// <summary>
    /// Weights: kill, power cut, both power cut, link cut, one-way cut, reset, planned stop, pause.
    /// </summary>
    public required int[] FaultWeights { get; init; }
    /// <summary>Mean time between changes of role by the operator; 0 means none.</summary>
    public required long SwitchEveryNs { get; init; }
    /// <summary>Ceiling of the resync rate.</summary>
    public required long ResyncBytesPerSecond { get; init; }

    /// <summary>Draws a scenario.</summary>
    public static Scenario FromSeed(ulong seed)
    {
        var random = new SeededRandom(seed ^ 0x5ce7a810);
        bool copies = random.Percent(15);
        bool forces = random.Percent(8);
        int clients = (int)random.Between(1, 4);
        int depth = (int)random.Between(1, 4);
        return new Scenario
        {
            Seed = seed,
            Volumes = random.Percent(60) ? 1 : 2,
            VolumeBytes = copies ? random.Between(1, 4) * Mebibyte : random.Between(2, 6) * 4 * Mebibyte,
            BlockBytes = random.Percent(60) ? 512 : 4096,
            ExternalMetadata = random.Percent(40),
            CreationAtA = !copies ? CreationSource.Empty
                : random.Percent(50) ? CreationSource.Self : CreationSource.Peer,
            OnPeerLoss = random.Percent(forces ? 50 : 20) ? PeerLoss.Continue : PeerLoss.Freeze,
            HasArbiter = !forces && random.Percent(60),
            Forces = forces,
            DiskNs = random.Percent(70) ? 200_000 : random.Between(20, 5_000) * 1000,
            NetworkNs = random.Percent(70) ? 150_000 : random.Between(20, 10_000) * 1000,
            Clients = clients,
            Depth = depth,
            ThinkNs = clients * depth * random.Between(3, 25) * 1_000_000,
            FaultsNs = random.Between(8, 25) * 1_000_000_000,
            FaultEveryNs = random.Percent(5) ? 0 : random.Between(150, 2500) * 1_000_000,
            FaultWeights = Weights(random),
            SwitchEveryNs = random.Percent(30) ? 0 : random.Between(400, 4000) * 1_000_000,
            ResyncBytesPerSecond = random.Percent(30) ? random.Between(2, 20) * Mebibyte : 0,
        };
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Volumes} x {VolumeBytes / Mebibyte} MiB, blocks of {BlockBytes}, created {CreationAtA}, "
        + $"on-peer-loss {OnPeerLoss}, arbiter {HasArbiter}, forces {Forces}, {Clients} clients x {Depth}, "
        + $"think {ThinkNs / 1_000_000} ms, faults for {FaultsNs / 1_000_000_000} s "
        + $"each {FaultEveryNs / 1_000_000} ms [{string.Join(' ', FaultWeights)}], "
        + $"disk {DiskNs / 1000} us, network {NetworkNs / 1000} us, "
        + $"switch each {SwitchEveryNs / 1_000_000} ms, "
        + $"resync {ResyncBytesPerSecond} B/s";

    /// <summary>
    /// A few kinds of fault dominate each seed, so that also long runs of one kind are met.
    /// </summary>
    private static int[] Weights(SeededRandom random)
    {
        int[] weights = new int[8];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = random.Percent(60) ? 1 + random.Below(10) : 0;
        }

        weights[0] += weights.Sum() == 0 ? 1 : 0;
        return weights;
    }
}
