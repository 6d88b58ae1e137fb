using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// The order of what is stored on both nodes (safety contract, sections 3 and 4), looked at in every superblock when it is
/// written: a new session voids all proofs; the peer is excluded only when it has durably said that its copy does not
/// count (J1 before J2); a target is UpToDate in a session only when its source has durably stored that session (J4
/// before J5); a node starts a generation of its own only under a proof (I-4), or for a full sync, with everything
/// dirty. And starting a process changes no superblock (I-20).
/// </summary>
public sealed class JoinCheck
{
    private readonly PairSimulation _simulation;
    private readonly SimulatedNodeState _node;
    private readonly VolumeCopy _copy;

    private JoinCheck(PairSimulation simulation, SimulatedNodeState node, VolumeCopy copy)
    {
        _simulation = simulation;
        _node = node;
        _copy = copy;
        Superblock? before = copy.Stored.Superblock;
        copy.MetadataChanged += () =>
        {
            Superblock? now = copy.Stored.Superblock;
            bool isNewer = before is not null && now?.Sequence > before.Sequence;
            if (isNewer && !simulation.Scenario.Forces && !simulation.Oracle.AcceptsLoss)
            {
                Check(before!, now!);
            }

            before = now ?? before;
        };
    }

    /// <summary>Watches the metadata of all volumes of both nodes.</summary>
    public static void Watch(PairSimulation simulation)
    {
        foreach (SimulatedNodeState node in simulation.Nodes)
        {
            Array.ForEach(node.Copies, copy => _ = new JoinCheck(simulation, node, copy));
        }
    }

    /// <summary>
    /// A process has loaded its metadata: each volume still says what it said before, or what the newest one said that
    /// was a step ahead; or else, when a disk took no metadata any more, that everything has to be copied.
    /// </summary>
    public static void RequireKept(string node, Superblock?[] before, Superblock?[] now)
    {
        Superblock newest = before.MaxBy(superblock => superblock?.Sequence)!;
        for (int volume = 0; volume < now.Length; volume++)
        {
            Superblock everything = newest with { FullSyncNeeded = true, Sequence = newest.Sequence + 1 };
            bool isLeftBehind = newest.DiskState == DiskState.Inconsistent
                && Array.Exists(before, superblock => superblock?.Sequence + 1 < newest.Sequence);
            if (!IsSame(before[volume], now[volume]) && !IsSame(newest, now[volume])
                && !(isLeftBehind && IsSame(everything, now[volume])))
            {
                throw new RuleBroken("I-20", $"{node} loaded volume {volume} as {Describe(now[volume])}, and what was stored "
                    + $"is {Describe(before[volume])}");
            }
        }
    }

    private void Check(Superblock before, Superblock now)
    {
        if (now.Session != before.Session)
        {
            CheckSession(now);
        }

        if (now.PeerExcluded && !before.PeerExcluded)
        {
            Superblock[] peers = StoredByPeer();
            if (Array.Find(peers, peer => peer.DiskState > DiskState.Outdated
                || HasProof(peer)) is { } counted)
            {
                throw new RuleBroken("I-14", $"{_node.Name} excluded {_node.PeerName}, whose copy is stored as "
                    + $"{counted.DiskState} with the proof {counted.Proof} (excluded: {counted.PeerExcluded})");
            }
        }

        bool starts = now.Current != before.Current && now.Bitmap == before.Current;
        bool isEntitled = HasProof(before) || now.Proof.Kind == ProofKind.OperatorOverride;
        if (starts && !isEntitled && !IsAllDirty())
        {
            throw new RuleBroken("I-4", $"{_node.Name} started generation {now.Current} without a proof of session "
                + $"{now.Session} that was stored before");
        }
    }

    private void CheckSession(Superblock now)
    {
        if (now.PeerExcluded || now.Proof.Kind != ProofKind.None)
        {
            throw new RuleBroken("I-14", $"{_node.Name} kept a proof over the new session {now.Session}: {now.Proof}, "
                + $"excluded: {now.PeerExcluded}");
        }

        if (!now.PeerMayHaveCurrent && Array.Find(StoredByPeer(), peer => peer.Session != now.Session) is { } other)
        {
            throw new RuleBroken("I-13", $"{_node.Name} is {now.DiskState} in session {now.Session}, and "
                + $"{_node.PeerName} has durably stored only session {other.Session}");
        }
    }

    private Superblock[] StoredByPeer() =>
        [.. _simulation.PeerOf(_node).Copies.Select(copy => copy.StoredDurably.Superblock!)];

    private bool IsAllDirty()
    {
        StoredMetadata stored = _copy.StoredDurably;
        return Enumerable.Range(0, (int)(_copy.StoredBytes / 4096)).All(block => stored.Covers(block));
    }

    private static string Describe(Superblock? stored) => stored is null ? "nothing"
        : $"number {stored.Sequence}: {stored.DiskState}, session {stored.Session}, generation {stored.Current} since "
            + $"{stored.Bitmap}, proof {stored.Proof.Kind}, excluded {stored.PeerExcluded}, primary {stored.WasPrimary}";

    private static bool HasProof(Superblock stored) => stored.PeerExcluded
        || (stored.Proof.Kind != ProofKind.None && stored.Proof.Session == stored.Session);

    private static bool IsSame(Superblock? one, Superblock? other)
    {
        if (one is null || other is null)
        {
            return one is null && other is null;
        }

        return one with { VolumeIndex = 0, VolumeName = "", DataBytes = 0, History = [] }
            == other with { VolumeIndex = 0, VolumeName = "", DataBytes = 0, History = [] }
            && one.History.SequenceEqual(other.History);
    }
}
