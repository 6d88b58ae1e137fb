using MirrorD.Formats;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// Looks at both disks at the moment of a reply: an acknowledged mutation is on both copies, a flushed one is
/// durable on both, or else the node that replied has stored that it may go on alone, and where the peer now
/// differs (I-4, I-5, I-9); in one session only one node does so (I-13).
/// </summary>
public sealed class AcknowledgementCheck(PairSimulation simulation)
{
    private readonly Dictionary<SessionId, string> _aloneInSession = [];
    private readonly Dictionary<VolumeCopy, StoredMetadata> _stored = [];
    private readonly byte[] _sector = new byte[Stamp.SectorBytes];

    /// <summary>A mutation was acknowledged by a node; the oracle knows already.</summary>
    public void Check(Mutation mutation, SimulatedNodeState server, long submittedAtStep)
    {
        simulation.Ahead.Note(mutation, server, submittedAtStep);
        if (mutation.Kind == MutationKind.Discard || simulation.Oracle.AcceptsLoss)
        {
            return;
        }

        _stored.Clear();
        SimulatedNodeState peer = simulation.PeerOf(server);
        bool peerLostIt = peer.LostPowerAtStep >= submittedAtStep;
        bool alone = false;
        bool isElsewhere = false;
        for (int i = 0; i < mutation.Sectors; i++)
        {
            long sector = mutation.FirstSector + i;
            if (!Has(server, mutation.Volume, sector, mutation.ForceUnitAccess))
            {
                string what = $"{server.Name} acknowledged {mutation} but holds {Found(server, mutation, sector)}";
                if (!Has(peer, mutation.Volume, sector, mutation.ForceUnitAccess) && !peerLostIt)
                {
                    throw new RuleBroken(mutation.ForceUnitAccess ? "I-9" : "I-1",
                        $"{what}, and {peer.Name} {Found(peer, mutation, sector)}");
                }

                // Its disk is out of use: then the peer has the only copy, and stands for it.
                RequireRight(peer, mutation.Volume, sector, "I-4", () => what);
                isElsewhere = true;
            }
            else if (Has(peer, mutation.Volume, sector, mutation.ForceUnitAccess) || peerLostIt)
            {
                continue;
            }
            else if (simulation.Ahead.Allows(mutation, server, submittedAtStep))
            {
                RequireTracked(server, mutation, sector);
            }
            else
            {
                RequireRight(server, mutation.Volume, sector, "I-4",
                    () => $"{server.Name} acknowledged {mutation} but {peer.Name} holds "
                        + Found(peer, mutation, sector));
                alone = true;
            }
        }

        simulation.Tally.Alone += alone ? 1 : 0;
        simulation.Tally.Elsewhere += isElsewhere ? 1 : 0;
    }

    /// <summary>
    /// A flush was acknowledged by a node; the oracle knows already.
    /// </summary>
    public void Check(FlushInProgress flush, SimulatedNodeState server)
    {
        if (simulation.Oracle.AcceptsLoss)
        {
            return;
        }

        _stored.Clear();
        SimulatedNodeState peer = simulation.PeerOf(server);
        bool alone = false;
        foreach ((int volume, long sector, _) in flush.Possible)
        {
            bool isHere = IsDurable(server, volume, sector);
            bool isThere = IsDurable(peer, volume, sector);
            if (!isHere && !isThere)
            {
                throw new RuleBroken("I-9", Unflushed(server, server, volume, sector));
            }

            if (!isHere)
            {
                RequireRight(peer, volume, sector, "I-9", () => Unflushed(server, server, volume, sector));
            }
            else if (!isThere)
            {
                RequireRight(server, volume, sector, "I-9", () => Unflushed(server, peer, volume, sector));
                alone = true;
            }
        }

        simulation.Tally.Alone += alone ? 1 : 0;
    }

    private bool IsDurable(SimulatedNodeState node, int volume, long sector)
    {
        node.Copies[volume].Data.PeekDurable(sector * Stamp.SectorBytes, _sector);
        return simulation.Oracle.MayHoldAfterPowerCut(volume, sector, _sector);
    }

    private string Unflushed(SimulatedNodeState server, SimulatedNodeState node, int volume, long sector)
    {
        node.Copies[volume].Data.PeekDurable(sector * Stamp.SectorBytes, _sector);
        return $"{server.Name} acknowledged a flush but sector {sector} of volume {volume} is durable on "
            + $"{node.Name} only as {ResourceOracle.Describe(volume, sector, _sector)}; it should be one of "
            + simulation.Oracle.Describe(volume, sector);
    }

    private bool Has(SimulatedNodeState node, int volume, long sector, bool durably)
    {
        node.Copies[volume].Data.Peek(sector * Stamp.SectorBytes, _sector);
        if (simulation.Oracle.MayHoldNow(volume, sector, _sector) && durably)
        {
            node.Copies[volume].Data.PeekDurable(sector * Stamp.SectorBytes, _sector);
        }

        return simulation.Oracle.MayHoldNow(volume, sector, _sector);
    }

    private static string Found(SimulatedNodeState node, Mutation mutation, long sector)
    {
        byte[] visible = new byte[Stamp.SectorBytes];
        byte[] durable = new byte[Stamp.SectorBytes];
        node.Copies[mutation.Volume].Data.Peek(sector * Stamp.SectorBytes, visible);
        node.Copies[mutation.Volume].Data.PeekDurable(sector * Stamp.SectorBytes, durable);
        return $"{ResourceOracle.Describe(mutation.Volume, sector, visible)} in sector {sector} (durably "
            + $"{ResourceOracle.Describe(mutation.Volume, sector, durable)})";
    }

    /// <summary>Asked for each sector that a node alone has: what was seen is put into words only for a failure.</summary>
    private void RequireRight(SimulatedNodeState server, int volume, long sector, string rule, Func<string> what)
    {
        long block = sector * Stamp.SectorBytes / 4096;
        StoredMetadata own = Stored(server.Copies[volume]);
        StoredMetadata peers = Stored(simulation.PeerOf(server).Copies[volume]);
        // A copy that was thrown away gets everything, whatever the maps say.
        bool covered = own.Covers(block) || peers.Covers(block) || peers.Superblock is { FullSyncNeeded: true };
        bool isBeingSynced = own.Superblock is { PeerExcluded: true } && covered;
        if (!isBeingSynced && !(own.HasProof && own.HasGeneration && covered))
        {
            throw new RuleBroken(rule, $"{what()}; and {server.Name} has durably stored: proof {own.HasProof}, "
                + $"generation {own.HasGeneration}, block {block} in the sync set {covered}");
        }

        SessionId session = own.Superblock!.Session;
        if (!isBeingSynced && !_aloneInSession.TryAdd(session, server.Name)
            && _aloneInSession[session] != server.Name && !simulation.Scenario.Forces)
        {
            throw new RuleBroken(
                "I-13", $"both nodes have completed requests alone in session {session}: {what()}");
        }
    }

    /// <summary>Answered ahead of the peer: a crash of this node now must not forget that the peer may lack it.</summary>
    private void RequireTracked(SimulatedNodeState server, Mutation mutation, long sector)
    {
        long block = sector * Stamp.SectorBytes / 4096;
        if (!Stored(server.Copies[mutation.Volume]).Covers(block))
        {
            throw new RuleBroken("I-5", $"{server.Name} acknowledged {mutation}, {server.PeerName} does not have it, and "
                + $"block {block} is durably in neither dirty map nor activity log of {server.Name}");
        }
    }

    private StoredMetadata Stored(VolumeCopy copy)
    {
        if (!_stored.TryGetValue(copy, out StoredMetadata? stored))
        {
            stored = copy.StoredDurably;
            _stored.Add(copy, stored);
        }

        return stored;
    }
}
