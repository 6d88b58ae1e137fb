using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator;

/// <summary>What a seed says about a run: the pair, its load, and which faults it meets.</summary>
public sealed record Scenario
{
    private const long Mebibyte = 1024 * 1024;

    /// <summary>Between two heartbeats.</summary>
    public const int HeartbeatMs = 50;
    /// <summary>A path without a heartbeat for so long is lost.</summary>
    public const int DeadAfterMs = 300;

    /// <summary>Faults after which a Standby may have to take over, and a few that stand in its way.</summary>
    private static readonly FaultKind[] s_parting =
    [
        FaultKind.Isolation, FaultKind.Kill, FaultKind.PowerCut, FaultKind.Pause, FaultKind.StuckLoop,
        FaultKind.Partition, FaultKind.OneWayPartition, FaultKind.Flap, FaultKind.DedicatedCut,
        FaultKind.ArbiterMute, FaultKind.ArbiterAway,
    ];

    /// <summary>Faults between which old messages may still be on their way.</summary>
    private static readonly FaultKind[] s_echoing = [FaultKind.Flap, FaultKind.HastyReturn];

    private static readonly FaultKind[] s_ofDevices =
        [FaultKind.Restart, FaultKind.QuickKill, FaultKind.DeviceCut];

    /// <summary>Faults that are drawn apart, so that the others are the same with and without.</summary>
    private static readonly FaultKind[] s_apart =
        [
            .. s_ofDevices, FaultKind.SlowDisk, FaultKind.TakeoverDeath, FaultKind.ClaimantDeath,
            FaultKind.TargetPowerCut, FaultKind.HastyReturn, FaultKind.BitRot, FaultKind.Swizzle,
        ];

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }
    /// <summary>Volumes of the resource.</summary>
    public required int Volumes { get; init; }
    /// <summary>Size of each volume's data.</summary>
    public required long VolumeBytes { get; init; }
    /// <summary>The volumes begin so small, and an operator grows them to <see cref="VolumeBytes"/>; 0: they never grow.</summary>
    public long StartBytes { get; init; }
    /// <summary>By so much the disks of node b are smaller.</summary>
    public long LessAtB { get; init; }
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
    /// <summary>A gateway is configured.</summary>
    public required bool HasGateway { get; init; }
    /// <summary>A Standby takes over by itself where the rules allow it.</summary>
    public required bool Autoswitch { get; init; }
    /// <summary>What a Standby waits in addition before it takes over.</summary>
    public required int TakeoverDelayMs { get; init; }
    /// <summary>A link without any frame for so long is lost.</summary>
    public required int LinkTimeoutMs { get; init; }
    /// <summary>A peer that was asked and says nothing for so long is mute.</summary>
    public required int OutdateTimeoutMs { get; init; }
    /// <summary>So long an old holder may take to remove the address.</summary>
    public int ReleaseTimeoutMs { get; init; } = 2000;
    /// <summary>preferred-primary: the node's name, or null.</summary>
    public string? Preferred { get; init; }
    /// <summary>Something removes the service address of a host whose daemon has ended.</summary>
    public required bool HasReleaseHelper { get; init; }
    /// <summary>A planned stop of a Primary first hands the role over.</summary>
    public required bool HandsOverOnStop { get; init; }
    /// <summary>So many of a hundred steps of hooks fail.</summary>
    public int HookFailurePercent { get; init; }
    /// <summary>So many of a hundred datagrams are lost.</summary>
    public int DatagramLossPercent { get; init; }
    /// <summary>So many of a hundred datagrams come late, as many come twice.</summary>
    public int LateDatagramsPercent { get; init; }
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
    /// <summary>Programs on each node use block devices of the kernel.</summary>
    public bool HasDevices { get; init; }
    /// <summary>Requests of one connection of a device that a daemon has at a time.</summary>
    public int DeviceQueue { get; init; } = 4;
    /// <summary>Programs on each node that use block devices.</summary>
    public int DeviceClients { get; init; } = 2;
    /// <summary>Mean pause of a client between requests.</summary>
    public required long ThinkNs { get; init; }
    /// <summary>How long faults go on.</summary>
    public required long FaultsNs { get; init; }
    /// <summary>Mean time between faults; 0 means none.</summary>
    public required long FaultEveryNs { get; init; }
    /// <summary>Weights, by <see cref="FaultKind"/>.</summary>
    public required int[] FaultWeights { get; init; }
    /// <summary>Nothing happens but what lets old messages arrive in a new session.</summary>
    public bool IsEchoing { get; init; }
    /// <summary>All kinds of fault are drawn, and what follows something follows it more often.</summary>
    public bool HasAllKinds { get; init; }
    /// <summary>Changes what is stored at creation, by node name: for what no history of a pair leads to quickly.</summary>
    public Func<string, Superblock, Superblock>? Prepare { get; init; }
    /// <summary>Nodes whose dirty maps begin full.</summary>
    public IReadOnlyList<string> DirtyAtStart { get; init; } = [];
    /// <summary>Faults mostly last longer than a takeover takes.</summary>
    public bool HasLongFaults { get; init; }
    /// <summary>So many of a hundred faults come with a second one at the same time.</summary>
    public int PairedFaultsPercent { get; init; }
    /// <summary>Mean time between changes of role by the operator; 0 means none.</summary>
    public required long SwitchEveryNs { get; init; }
    /// <summary>Ceiling of the resync rate.</summary>
    public required long ResyncBytesPerSecond { get; init; }
    /// <summary>Floor of the resync rate; 0: it does not yield.</summary>
    public long ResyncFloorBytesPerSecond { get; init; }
    /// <summary>So many of a hundred looks of the operator at a running resync lead to a pause.</summary>
    public int PausePercent { get; init; }
    /// <summary>A resync compares hashes first.</summary>
    public bool ResyncByChecksum { get; init; }
    /// <summary>Extents of the activity log that may be active at once.</summary>
    public int ActiveExtents { get; init; } = Core.Limits.ActiveExtents;
    /// <summary>Copies of a resync that have ended before both sides flush.</summary>
    public int CopiesPerFlush { get; init; } = Core.Limits.CopiesPerFlush;

    /// <summary>Mean time between faults of disks; 0 means none.</summary>
    public long DiskFaultEveryNs { get; init; }
    /// <summary>A disk that does not answer for so long has failed; 0 means never.</summary>
    public int DiskTimeoutMs { get; init; }
    /// <summary>When clients hear of a write.</summary>
    public ReplicationMode Mode { get; init; } = ReplicationMode.Sync;
    /// <summary>Mode of node b, if it is another one.</summary>
    public ReplicationMode? ModeOfB { get; init; }
    /// <summary>Mode async: bytes on their way beyond which writes wait.</summary>
    public long AsyncBufferBytes { get; init; } = Mebibyte;
    /// <summary>Mode async: age of the oldest answer beyond which writes wait.</summary>
    public int AsyncLagMs { get; init; } = 1000;

    /// <summary>Mean time between what an operator disconnects, connects or throws away; 0 means never.</summary>
    public long MaintenanceEveryNs { get; init; }

    /// <summary>Mean time between verifies; 0 means none.</summary>
    public long VerifyEveryNs { get; init; }

    /// <summary>Ceiling of the rate of a verify.</summary>
    public long VerifyBytesPerSecond { get; init; }

    /// <summary>Bytes at the end of each volume that clients leave alone: disks change there behind the daemons' backs.</summary>
    public long ReservedBytes => VerifyEveryNs > 0 ? 256 * 1024 : 0;

    /// <summary>What may end a split brain without an operator, on node a.</summary>
    public SplitBrainPolicy PolicyOfA { get; init; }

    /// <summary>The same on node b.</summary>
    public SplitBrainPolicy PolicyOfB { get; init; }

    /// <summary>The policy of a node.</summary>
    public SplitBrainPolicy PolicyOf(string node) => node == "a" ? PolicyOfA : PolicyOfB;

    /// <summary>Draws a scenario.</summary>
    public static Scenario FromSeed(ulong seed) => PolicyDraw.Apply(MaintenanceDraw.Apply(
        FaultDraw.Apply(GrowthDraw.Apply(VerifyDraw.Apply(ResyncDraw.Apply(ModeDraw.Apply(WithoutMode(seed))))))));

    private static Scenario WithoutMode(ulong seed)
    {
        // Drawn apart, for the same reason as devices.
        var random = new SeededRandom(seed ^ 0x6c6f7374);
        Scenario without = WithoutDiskFaults(seed);
        return without.Forces || random.Percent(60) ? without : without with
        {
            DiskFaultEveryNs = random.Between(200, 2000) * 1_000_000,
            // Longer than a disk that is merely slow may take: it is slow also when its node is alone.
            DiskTimeoutMs = (int)random.Between(500, 2500) + (without.FaultWeights[(int)FaultKind.SlowDisk] > 0 ? 6000 : 0),
        };
    }

    private static Scenario WithoutDiskFaults(ulong seed)
    {
        var random = new SeededRandom(seed ^ 0x6469736b);
        Scenario drawn = WithUsualDisks(seed);
        int[] weights = [.. drawn.FaultWeights];
        int kinds = weights.Count(weight => weight > 0);
        if (!drawn.IsEchoing && random.Percent(40))
        {
            weights[(int)FaultKind.SlowDisk] = 1 + random.Below(3 * weights.Sum() / kinds);
        }

        if (!drawn.IsEchoing && random.Percent(30))
        {
            weights[(int)FaultKind.HastyReturn] = 1 + random.Below(2 * weights.Sum() / kinds);
        }

        var ofSwizzles = new SeededRandom(seed ^ 0x7377697a);
        if (!drawn.IsEchoing && ofSwizzles.Percent(15))
        {
            weights[(int)FaultKind.Swizzle] = 1 + ofSwizzles.Below(2 * weights.Sum() / kinds);
        }

        drawn = drawn with
        {
            FaultWeights = weights,
            ActiveExtents = random.Percent(50) ? (int)random.Between(2, 4) : drawn.ActiveExtents,
        };
        return seed % FaultAtlas.AllKindsEvery == 0 ? WithAllKinds(drawn) : drawn;
    }

    /// <summary>All that is drawn, on a pair that has all that can fail; what follows others is never drawn.</summary>
    private static Scenario WithAllKinds(Scenario drawn) => drawn with
    {
        FaultWeights =
        [
            .. FaultAtlas.Kinds.Select(kind =>
                FaultAtlas.Following.Contains(kind) ? 0 : kind == FaultKind.HastyReturn ? 3 : 1),
        ],
        FaultEveryNs = 400_000_000,
        HasAllKinds = true,
        IsEchoing = false,
        Forces = false,
        HasArbiter = drawn.HasArbiter || drawn.Seed % (2 * FaultAtlas.AllKindsEvery) == 0,
        HasGateway = true,
        Autoswitch = true,
        HasDevices = true,
    };

    private static Scenario WithUsualDisks(ulong seed)
    {
        // Drawn apart, so that all others are the same with and without.
        var random = new SeededRandom(seed ^ 0x6e62645f);
        Scenario without = WithoutDevices(seed);
        if (without.IsEchoing || random.Percent(45))
        {
            // Rare messages are met in long runs of one kind of fault, which are left as they are.
            return without;
        }

        int[] weights = [.. without.FaultWeights];
        int usual = weights.Sum() / weights.Count(weight => weight > 0);
        foreach (FaultKind kind in s_ofDevices)
        {
            weights[(int)kind] = random.Percent(70) ? 1 + random.Below(4 * usual) : 0;
        }

        return without with
        {
            HasDevices = true,
            DeviceQueue = (int)random.Between(1, 8),
            DeviceClients = (int)random.Between(1, 5),
            Clients = (without.Clients + 1) / 2,
            FaultWeights = weights,
        };
    }

    private static Scenario WithoutDevices(ulong seed)
    {
        var random = new SeededRandom(seed ^ 0x5ce7a810);
        bool copies = random.Percent(15);
        bool forces = random.Percent(8);
        bool hasArbiter = !forces && random.Percent(60);
        bool takesOver = !forces && random.Percent(45);
        bool echoes = takesOver && random.Percent(30);
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
            OnPeerLoss = (PeerLoss)Drawn(random, 60, 25, 15),
            HasArbiter = hasArbiter,
            HasGateway = random.Percent(hasArbiter ? 50 : 85),
            Autoswitch = takesOver || random.Percent(80),
            TakeoverDelayMs = random.Percent(50) ? 0 : random.Below(500),
            LinkTimeoutMs = (int)random.Between(300, 400),
            OutdateTimeoutMs = (int)random.Between(300, 2000),
            ReleaseTimeoutMs = (int)random.Between(200, 3000),
            Preferred = Drawn(random, 60, 20, 20) switch { 0 => null, 1 => "a", _ => "b" },
            HasReleaseHelper = random.Percent(80),
            HandsOverOnStop = random.Percent(50),
            HookFailurePercent = random.Percent(30) ? 3 : 0,
            DatagramLossPercent = random.Percent(30) ? random.Below(8) : 0,
            LateDatagramsPercent = echoes ? (int)random.Between(40, 80) : random.Percent(30) ? random.Below(20) : 0,
            Forces = forces,
            DiskNs = random.Percent(70) ? 200_000 : random.Between(20, 5_000) * 1000,
            NetworkNs = random.Percent(70) ? 150_000 : random.Between(20, 10_000) * 1000,
            Clients = clients,
            Depth = depth,
            ThinkNs = clients * depth * random.Between(3, 25) * 1_000_000,
            FaultsNs = random.Between(takesOver ? 15 : 8, 25) * 1_000_000_000,
            HasLongFaults = takesOver,
            IsEchoing = echoes,
            FaultEveryNs = echoes ? 3_000_000_000 : takesOver ? random.Between(1000, 4000) * 1_000_000
                : random.Percent(5) ? 0 : random.Between(150, 2500) * 1_000_000,
            FaultWeights = Weights(
                random, echoes ? s_echoing : takesOver ? s_parting
                    : [.. Enum.GetValues<FaultKind>().Except(s_apart)]),
            PairedFaultsPercent = random.Percent(50) ? random.Below(60) : 0,
            SwitchEveryNs = random.Percent(30) ? 0 : random.Between(400, 4000) * 1_000_000,
            ResyncBytesPerSecond = random.Percent(30) ? random.Between(2, 20) * Mebibyte : 0,
        };
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"mode {Mode} ({AsyncBufferBytes} B, {AsyncLagMs} ms), "
        + $"{Volumes} x {VolumeBytes / Mebibyte} MiB (at first {StartBytes} B), blocks of {BlockBytes}, created {CreationAtA}, "
        + $"on-peer-loss {OnPeerLoss}, arbiter {HasArbiter}, gateway {HasGateway}, autoswitch {Autoswitch} after "
        + $"{TakeoverDelayMs} ms, link {LinkTimeoutMs} ms, outdate {OutdateTimeoutMs} ms, preferred {Preferred}, "
        + $"helper {HasReleaseHelper}, forces {Forces}, {Clients} clients x {Depth}, "
        + $"devices {HasDevices} (queue {DeviceQueue}, clients {DeviceClients}), "
        + $"think {ThinkNs / 1_000_000} ms, faults for {FaultsNs / 1_000_000_000} s "
        + $"each {FaultEveryNs / 1_000_000} ms [{string.Join(' ', FaultWeights)}], "
        + $"of disks each {DiskFaultEveryNs / 1_000_000} ms (limit {DiskTimeoutMs} ms), "
        + $"disk {DiskNs / 1000} us, network {NetworkNs / 1000} us, "
        + $"switch each {SwitchEveryNs / 1_000_000} ms, "
        + $"resync {ResyncFloorBytesPerSecond} to {ResyncBytesPerSecond} B/s by checksum {ResyncByChecksum} paused {PausePercent} % "
        + $"flushed each {CopiesPerFlush}, "
        + $"verify each {VerifyEveryNs / 1_000_000} ms with {VerifyBytesPerSecond} B/s, "
        + $"active extents {ActiveExtents}, maintenance each {MaintenanceEveryNs / 1_000_000} ms";

    /// <summary>
    /// A few kinds of fault dominate each seed, so that also long runs of one kind are met.
    /// </summary>
    private static int[] Weights(SeededRandom random, FaultKind[] kinds)
    {
        int[] weights = new int[Enum.GetValues<FaultKind>().Length];
        foreach (FaultKind kind in kinds)
        {
            weights[(int)kind] = random.Percent(50) ? 1 + random.Below(10) : 0;
        }

        weights[(int)kinds[0]] += weights.Sum() == 0 ? 1 : 0;
        return weights;
    }

    private static int Drawn(SeededRandom random, params int[] percents)
    {
        int drawn = random.Below(100);
        int i = 0;
        while (drawn >= percents[i])
        {
            drawn -= percents[i++];
        }

        return i;
    }
}
