using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// Modes memory and async: what was answered while the peer did not have it, and which failures may take it. Memory: only
/// a takeover by a node whose process has died since the nodes were joined. Async: any takeover, of the latest writes that
/// no flush covered and nobody read, in the order of writing, and no more than the buffer holds. Nothing else may.
/// </summary>
public sealed class AheadCheck
{
    /// <summary>To the peer, through its disk, and back.</summary>
    private const long LongestWayNs = 2_000_000_000;

    /// <summary>Longest way of an answer from a daemon to a program.</summary>
    private const long LongestAnswerNs = 100_000_000;

    private readonly PairSimulation _simulation;
    private readonly Dictionary<SimulatedNodeState, (long Ns, long Step)> _lost = [];
    private readonly List<AnsweredAhead> _answered = [];
    private readonly HashSet<SimulatedNodeState> _keepers = [];

    /// <summary>
    /// Its peer's copy was given up: the arbiter has granted this node the session, which may never use it; or the peer, a
    /// Primary, lost disk and link, and gets its copy from here.
    /// </summary>
    private SimulatedNodeState? _heir;
    private SimulatedNodeState? _counting;
    private long _countsSinceStep = -1;

    /// <summary>Watches both nodes' disks.</summary>
    public AheadCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        foreach (VolumeCopy copy in simulation.Nodes.SelectMany(node => node.Copies))
        {
            copy.DataChanged += (offset, length) => _answered.RemoveAll(each => each.HasAll(copy, offset, length));
        }
    }

    /// <summary>The mode allows the answer although the peer's disk does not have it.</summary>
    public bool Allows(Mutation mutation, SimulatedNodeState server, long askedAtStep) =>
        _simulation.Scenario.Mode != ReplicationMode.Sync && !mutation.ForceUnitAccess
        && (IsMirroring(server) || WasOnItsWay(server, askedAtStep));

    /// <summary>
    /// What this node is asked goes to its peer too. One that took the role over from a peer without disk still hears it, and
    /// is alone by a right.
    /// </summary>
    private static bool IsMirroring(SimulatedNodeState server) =>
        server.Status is { Link: LinkState.Joined, Proof: ProofKind.None } or { Link: LinkState.SyncSource };

    /// <summary>A mutation was answered.</summary>
    public void Note(Mutation mutation, SimulatedNodeState server, long askedAtStep)
    {
        VolumeCopy copy = _simulation.PeerOf(server).Copies[mutation.Volume];
        var answered = new AnsweredAhead(mutation, copy) { WasMirrored = IsMirroring(server) };
        if (!Allows(mutation, server, askedAtStep) || answered.HasAll(copy, 0, copy.Placement.DataBytes))
        {
            return;
        }

        _simulation.Tally.Ahead++;
        answered.IsOnItsWay = IsMirroring(server);
        _answered.Add(answered);
        long bytes = _answered.Where(each => each.IsOnItsWay).Sum(each => each.LengthBytes);
        if (_simulation.Scenario.Mode == ReplicationMode.Async && bytes > _simulation.Scenario.AsyncBufferBytes)
        {
            throw new RuleBroken("async-buffer", $"{server.Name} has answered {bytes} bytes that {server.PeerName} does "
                + $"not have, with a buffer of {_simulation.Scenario.AsyncBufferBytes}");
        }
    }

    /// <summary>
    /// Nobody waits for it any more. The node may have been done with it while it was still on its way to the peer.
    /// </summary>
    public void NoteAbandoned(Mutation mutation, SimulatedNodeState server)
    {
        if (!Allows(mutation, server, long.MaxValue))
        {
            return;
        }

        var abandoned = new AnsweredAhead(mutation, _simulation.PeerOf(server).Copies[mutation.Volume]) { IsOnItsWay = false };
        _answered.Add(abandoned);
        _simulation.World.Schedule(LongestWayNs, () => _answered.Remove(abandoned));
    }

    /// <summary>A block may differ although both are joined: what was answered is still on its way.</summary>
    public bool Excuses(int volume, long block) =>
        _answered.Exists(each => each.Mutation.Volume == volume
            && each.Mutation.FirstSector * Stamp.SectorBytes < (block + 1) * 4096
            && (each.Mutation.FirstSector + each.Mutation.Sectors) * Stamp.SectorBytes > block * 4096);

    /// <summary>
    /// A Standby has stored a right by which its peer's copy does not count any more. In mode memory it has received all that
    /// was answered; unless its process has ended since, all of that is on its disk by now.
    /// </summary>
    public void RequireApplied(SimulatedNodeState node)
    {
        bool wasToldOfAll = _simulation.Scenario.Mode == ReplicationMode.Memory && !node.LostMemory
            && node.Status is { Link: LinkState.Disconnected } && !_simulation.Oracle.AcceptsLoss;
        if (wasToldOfAll && _answered.Find(each => each.WasMirrored && node.Copies.Contains(each.Copy)) is { } missing)
        {
            throw new RuleBroken("I-2", $"{node.Name} has taken a right from {node.PeerName}, and its disk does not have "
                + $"{missing.Mutation}, which was answered");
        }
    }

    /// <summary>A node no longer sees its peer.</summary>
    public void LinkLost(SimulatedNodeState node)
    {
        _answered.ForEach(each => each.IsOnItsWay = false);
        _lost[node] = (_simulation.World.NowNs, _simulation.World.Steps);
    }

    /// <summary>A node's copy is Outdated.</summary>
    public void Outdated(SimulatedNodeState node)
    {
        SimulatedNodeState peer = _simulation.PeerOf(node);
        if (_simulation.Arbiter.IsOwner(node.Status!.Session, peer.Id))
        {
            _heir = peer;
        }
    }

    /// <summary>
    /// A node without link whose stored state says, while the role is still its own, that its copy does not count: what it
    /// had answered ahead of its peer is lost with its disk.
    /// </summary>
    public void GivenUp(SimulatedNodeState node)
    {
        if (Array.Exists(node.Copies, copy => copy.Stored.Superblock is
            { WasPrimary: true, DiskState: DiskState.Inconsistent, ResyncFrom.IsNone: true }))
        {
            _heir = _simulation.PeerOf(node);
        }
    }

    /// <summary>A disk is out of use: nothing more is answered ahead, and what was is still on its way.</summary>
    public void DiskLost(SimulatedNodeState node)
    {
        _lost[node] = (_simulation.World.NowNs, _simulation.World.Steps);
        if (node.Status is { Role: Role.Standby })
        {
            _keepers.Add(node);
        }
    }

    /// <summary>Both nodes are joined: what an earlier connection left behind was copied.</summary>
    public void Joined()
    {
        _answered.RemoveAll(each => !each.IsOnItsWay);
        _keepers.Clear();
        _heir = null;
    }

    /// <summary>From here on the copy of this node is what counts.</summary>
    public void BeginsToCount(SimulatedNodeState node)
    {
        // One that kept the only copy of a Primary without disk counts also as a source that nobody has promoted; so does one
        // that died before it could use its right, when that has ended the other one's service.
        bool tookOver = _counting is not null && _counting != node && ((node.PromotedAtStep > _countsSinceStep
            && node.Promotion is { WasConnected: false }) || _keepers.Contains(node) || _heir == node);
        _counting = node;
        _countsSinceStep = _simulation.World.Steps;
        if (!tookOver || _simulation.Scenario.Mode == ReplicationMode.Sync || _simulation.Oracle.AcceptsLoss)
        {
            return;
        }

        // The peer's disk had all that was written through it: only what was answered before that may be missing.
        if (_keepers.Contains(node) && node.LostMemory)
        {
            _simulation.Note($"{node.Name}: counts, and lost what was on its way when the peer's disk was lost");
            _simulation.Oracle.RollBack((volume, sector) => Excuses(volume, sector * Stamp.SectorBytes / 4096));
            _answered.Clear();
            node.LostMemory = false;
            return;
        }

        _answered.Clear();
        if (node.LostMemory)
        {
            _simulation.Note($"{node.Name}: counts, and lost what it had in memory");
            _simulation.Oracle.RollBack();
        }
        else if (_simulation.Scenario.Mode == ReplicationMode.Async)
        {
            long lost = _simulation.Oracle.FallBehind(
                (volume, sector, contents) => node.Copies[volume].Data.Peek(sector * Stamp.SectorBytes, contents));
            _simulation.Note($"{node.Name}: counts, and lacks {lost} answered bytes");
            _simulation.Tally.AheadLost += lost > 0 ? 1 : 0;
            if (lost > _simulation.Scenario.AsyncBufferBytes)
            {
                throw new RuleBroken("async-buffer", $"{node.Name} took over and lacks {lost} bytes that were answered, "
                    + $"with a buffer of {_simulation.Scenario.AsyncBufferBytes}");
            }
        }

        node.LostMemory = false;
    }

    /// <summary>Answered by the daemon before it lost the link, though the answer comes to the program after that.</summary>
    private bool WasOnItsWay(SimulatedNodeState server, long askedAtStep) =>
        _lost.TryGetValue(server, out (long Ns, long Step) lost) && askedAtStep < lost.Step
        && _simulation.World.NowNs - lost.Ns < LongestAnswerNs;
}
