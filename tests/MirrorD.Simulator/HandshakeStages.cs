using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator;

/// <summary>
/// One small run without faults for each case of the handshake table that seeds meet rarely or never, from states that are
/// put on the disks. All checks are on, as always.
/// </summary>
public static class HandshakeStages
{
    private const long LimitNs = 10_000_000_000;

    private static readonly Generation s_base = new(0x1000);
    private static readonly Generation s_ofA = new(0x2000);
    private static readonly Generation s_ofB = new(0x3000);

    /// <summary>Cases that no run can reach today, each with its reason.</summary>
    public static IReadOnlyDictionary<HandshakeCase, string> Unreachable { get; } =
        new Dictionary<HandshakeCase, string>
        {
            [HandshakeCase.SameNode] = "a peer with this node's id is refused before the handshake",
            [HandshakeCase.VolumesDisagree] = "a node whose volumes disagree is not loaded (MetadataDamaged)",
        };

    /// <summary>The case and what the two nodes have stored.</summary>
    public static IReadOnlyList<(HandshakeCase Case, Scenario Scenario)> All { get; } =
    [
        (HandshakeCase.SizesDiffer, Staged(s => s, s => s) with { LessAtB = 4096 }),
        (HandshakeCase.ModesDiffer, Staged(Used, Used) with { ModeOfB = ReplicationMode.Memory }),
        (HandshakeCase.PeerNew, Staged(Used, s => s with { CreationSource = CreationSource.Peer })),
        (HandshakeCase.SelfNew, Staged(s => s with { CreationSource = CreationSource.Peer }, Used)),
        (HandshakeCase.RolledBack, Staged(s => Used(s) with { PeerSequence = 100_000 }, Used)),
        (HandshakeCase.SelfFarAhead, Staged(s => Ahead(s, s_ofA) with { Bitmap = Generation.None }, Used)),
        (HandshakeCase.PeerFarAhead, Staged(Used, s => Ahead(s, s_ofB) with { Bitmap = Generation.None })),
        (HandshakeCase.SplitBrainKnownBase, Staged(s => Ahead(s, s_ofA), s => Ahead(s, s_ofB))),
        (HandshakeCase.SplitBrain, Staged(
            s => Ahead(s, s_ofA) with { Bitmap = Generation.None },
            s => Ahead(s, s_ofB) with { Bitmap = Generation.None })),
        (HandshakeCase.Unrelated, Staged(Used, s => Used(s) with { Current = s_ofB })),
        (HandshakeCase.SameFullSync, Staged(Used, s => Used(s) with { FullSyncNeeded = true })),
        (HandshakeCase.SameBitmap, Staged(Used, s => Used(s) with { Bitmap = s_ofB })),
        (HandshakeCase.SameDirty, Staged(Used, Used) with { DirtyAtStart = ["a"] }),
        (HandshakeCase.SameUndecided, Staged(
            s => Used(s) with { Bitmap = s_ofA }, s => Used(s) with { Bitmap = s_ofB }) with { DirtyAtStart = ["a", "b"] }),
        (HandshakeCase.NoDisk, Staged(Used, s => Used(s) with { DiskState = DiskState.Failed })),
        (HandshakeCase.AheadNotUpToDate, Staged(
            s => Ahead(s, s_ofA) with { DiskState = DiskState.Outdated }, Used)),
    ];

    /// <summary>
    /// Cases of a Primary that has not noticed enough: it is cut off and frozen, and the other node was promoted by force;
    /// in the second case that one has died since.
    /// </summary>
    public static IReadOnlyList<HandshakeCase> OfPrimaries { get; } =
        [HandshakeCase.BothPrimary, HandshakeCase.PrimaryWouldBeTarget];

    /// <summary>Plays all of them; gives the cases that were met.</summary>
    public static IReadOnlyList<HandshakeCase> Play() =>
    [
        .. All.Where(stage => Meets(stage.Case, stage.Scenario)).Select(stage => stage.Case),
        .. OfPrimaries.Where(MeetsWithPrimary),
        .. MeetsAfterWord() ? [HandshakeCase.SplitBrainResolved] : Array.Empty<HandshakeCase>(),
        .. MeetsByPolicy() ? [HandshakeCase.SplitBrainByPolicy] : Array.Empty<HandshakeCase>(),
        .. MeetsWithoutDisk() ? [HandshakeCase.DisklessPrimary] : Array.Empty<HandshakeCase>(),
    ];

    /// <summary>Plays one: whether its case was met, on either node.</summary>
    public static bool Meets(HandshakeCase wanted, Scenario scenario) => Plays(scenario, simulation =>
        simulation.RunUntil(() => HasMet(simulation, wanted), LimitNs));

    /// <summary>
    /// Plays one of <see cref="OfPrimaries"/>. Two Primaries meet only when the link is back before one hears the other over
    /// a watched path.
    /// </summary>
    public static bool MeetsWithPrimary(HandshakeCase wanted)
    {
        Scenario scenario = Staged(Used, Used) with
        {
            HasArbiter = false,
            OnPeerLoss = PeerLoss.Freeze,
            Autoswitch = false,
            Forces = true,
        };
        return Plays(scenario, simulation =>
        {
            SimulatedNodeState a = simulation.Nodes[0];
            SimulatedNodeState b = simulation.Nodes[1];
            bool isCutOff = simulation.RunUntil(() => a.Status?.Link == LinkState.Joined, LimitNs)
                && Promotes(simulation, a, force: false) && Part(simulation, a);
            simulation.Oracle.AcceptLoss();
            if (!isCutOff || !Promotes(simulation, b, force: true))
            {
                return false;
            }

            if (wanted == HandshakeCase.PrimaryWouldBeTarget)
            {
                simulation.NodeDies(b, cutsPower: false);
                simulation.StartNode(b);
            }

            simulation.World.Network.Holds = (_, _) => true;
            simulation.Networks.MendAll();
            return simulation.RunUntil(() => HasMet(simulation, wanted), LimitNs);
        });
    }

    /// <summary>Plays a split brain in which an operator names b as the one that gives way: whether that case was met.</summary>
    public static bool MeetsAfterWord() => Plays(
        Staged(s => Ahead(s, s_ofA), s => Ahead(s, s_ofB)),
        simulation =>
        {
            SimulatedNodeState b = simulation.Nodes[1];
            bool isSplit = simulation.RunUntil(() => b.Status?.HoldUp?.State == "SplitBrain", LimitNs);
            b.Command(new ResourceCommand.DiscardCopy(), _ => { });
            return isSplit && simulation.RunUntil(() => HasMet(simulation, HandshakeCase.SplitBrainResolved), 2 * LimitNs)
                && simulation.RunUntil(() => b.Status?.Link == LinkState.Joined, LimitNs);
        });

    /// <summary>Plays a split brain in which b has changed nothing, and a policy lets it give way.</summary>
    public static bool MeetsByPolicy() => Plays(
        Staged(s => Ahead(s, s_ofA), s => Ahead(s, s_ofB)) with
        {
            DirtyAtStart = ["a"],
            PolicyOfA = SplitBrainPolicy.DiscardUnchanged,
            PolicyOfB = SplitBrainPolicy.DiscardUnchanged,
        },
        simulation => simulation.RunUntil(() => HasMet(simulation, HandshakeCase.SplitBrainByPolicy), LimitNs)
            && simulation.RunUntil(() => simulation.Nodes.All(node => node.Status?.Link == LinkState.Joined), LimitNs)
            && simulation.Tally.GivenUp > 0);

    /// <summary>Plays a Primary that goes on with its peer's disk, and loses and finds it: whether that case was met.</summary>
    public static bool MeetsWithoutDisk()
    {
        Scenario scenario = Staged(Used, Used) with
        {
            HasArbiter = false,
            OnPeerLoss = PeerLoss.Freeze,
            Autoswitch = false,
        };
        return Plays(scenario, simulation =>
        {
            SimulatedNodeState a = simulation.Nodes[0];
            bool isJoined = simulation.RunUntil(() => a.Status?.Link == LinkState.Joined, LimitNs)
                && Promotes(simulation, a, force: false);
            a.Command(new ResourceCommand.Detach(), _ => { });
            bool isCutOff = isJoined && simulation.RunUntil(() => a.Status?.HoldUp?.State == "Diskless", LimitNs)
                && Part(simulation, a);
            simulation.Networks.MendAll();
            return isCutOff && simulation.RunUntil(() => HasMet(simulation, HandshakeCase.DisklessPrimary), LimitNs);
        });
    }

    private static bool Part(PairSimulation simulation, SimulatedNodeState node)
    {
        simulation.Networks.Cut(Networks.Dedicated, "a", "b");
        simulation.Networks.Cut(Networks.Production, "a", "b");
        return simulation.RunUntil(() => node.Status?.Link == LinkState.Disconnected, LimitNs);
    }

    private static bool Promotes(PairSimulation simulation, SimulatedNodeState node, bool force)
    {
        node.Command(new ResourceCommand.Promote(force), _ => { });
        return simulation.RunUntil(() => node.Status?.Role == Role.Primary, LimitNs);
    }

    private static bool HasMet(PairSimulation simulation, HandshakeCase wanted) =>
        simulation.Tally.Cases.Contains(wanted.ToString());

    private static bool Plays(Scenario scenario, Func<PairSimulation, bool> play)
    {
        var simulation = new PairSimulation(scenario);
        try
        {
            simulation.Begin();
            return play(simulation);
        }
        finally
        {
            simulation.End();
        }
    }

    private static Superblock Used(Superblock created) =>
        created with { JustCreated = false, Current = s_base, DiskState = DiskState.UpToDate };

    private static Superblock Ahead(Superblock created, Generation current) =>
        Used(created) with { Current = current, Bitmap = s_base, History = [s_base] };

    private static Scenario Staged(Func<Superblock, Superblock> atA, Func<Superblock, Superblock> atB) =>
        Scenario.FromSeed(1) with
        {
            Mode = ReplicationMode.Sync,
            PolicyOfA = SplitBrainPolicy.Manual,
            PolicyOfB = SplitBrainPolicy.Manual,
            CreationAtA = CreationSource.Empty,
            Forces = false,
            HasDevices = false,
            FaultEveryNs = 0,
            StartBytes = 0,
            SwitchEveryNs = 0,
            Prepare = (node, created) => node == "a" ? atA(created) : atB(created),
        };
}
