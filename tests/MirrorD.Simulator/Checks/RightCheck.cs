using MirrorD.Core.Failover;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// A stored proof has to be true when it is stored (I-14): who says that its peer is Outdated has a peer that stored
/// it; who says that the arbiter granted it the session was granted it. Never both nodes hold a proof of one session
/// (I-13), except where a pair without arbiter was parted by a policy that allows it: that is tallied, and from then
/// on contents are not judged any more. A proof is not given away by storing Outdated.
/// </summary>
public sealed class RightCheck
{
    private readonly PairSimulation _simulation;

    /// <summary>Watches both nodes' metadata.</summary>
    public RightCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        foreach (SimulatedNodeState node in simulation.Nodes)
        {
            VolumeCopy copy = node.Copies[0];
            Superblock? before = copy.Stored.Superblock;
            copy.MetadataChanged += () =>
            {
                Superblock? now = copy.Stored.Superblock;
                if (now is not null && now.Sequence > before?.Sequence && !_simulation.Oracle.AcceptsLoss)
                {
                    Check(node, before, now);
                }

                before = now ?? before;
            };
        }
    }

    /// <summary>Both nodes had the right to go on in one session, by policy.</summary>
    public bool IsSplit { get; private set; }

    private void Check(SimulatedNodeState node, Superblock before, Superblock now)
    {
        if (Holds(before) && Holds(now) && before.DiskState == DiskState.UpToDate
            && now.DiskState == DiskState.Outdated)
        {
            throw new RuleBroken("I-14", $"{node.Name} stored Outdated although it holds the proof {now.Proof}");
        }

        if (!Holds(now) || before.Proof == now.Proof)
        {
            return;
        }

        Superblock? peers = _simulation.PeerOf(node).Copies[0].Stored.Superblock;
        string? lie = now.Proof.Kind switch
        {
            ProofKind.PeerOutdated when peers is { DiskState: > DiskState.Outdated } && peers.Session == now.Session =>
                $"{node.PeerName} is {peers.DiskState}",
            ProofKind.ArbiterGrant when !_simulation.Arbiter.HasGranted(now.Session, node.Id) =>
                "the arbiter has not said so",
            ProofKind.PeerLossPolicy when _simulation.Scenario.HasArbiter => "there is an arbiter",
            ProofKind.PeerLossPolicy when before.WasPrimary && _simulation.Scenario.OnPeerLoss == PeerLoss.Freeze
                && !_simulation.Scenario.Autoswitch => "on-peer-loss is freeze",
            ProofKind.OperatorOverride when !_simulation.Scenario.Forces => "no operator has said so",
            _ => null,
        };
        if (lie is not null)
        {
            throw new RuleBroken("I-14", $"{node.Name} stored the proof {now.Proof}, but {lie}");
        }

        if (!now.WasPrimary && now.Proof.Kind is ProofKind.PeerOutdated or ProofKind.ArbiterGrant or ProofKind.PeerLossPolicy)
        {
            _simulation.Ahead.RequireApplied(node);
        }

        if (!now.WasPrimary && now.Proof.Kind is ProofKind.ArbiterGrant or ProofKind.PeerLossPolicy)
        {
            _simulation.GotRight(node);
        }

        if (peers is not null && Holds(peers) && peers.Session == now.Session)
        {
            BothHold($"both nodes hold a proof of session {now.Session}: {node.Name} {now.Proof.Kind}, "
                + $"{node.PeerName} {peers.Proof.Kind}");
        }
    }

    private void BothHold(string what)
    {
        if (_simulation.Scenario.HasArbiter || _simulation.Scenario.OnPeerLoss == PeerLoss.Freeze)
        {
            throw new RuleBroken("I-13", what);
        }

        _simulation.Note($"split: {what}");
        _simulation.Tally.Splits = 1;
        _simulation.Oracle.AcceptLoss();
        IsSplit = true;
    }

    private static bool Holds(Superblock stored) =>
        stored.Proof.Kind != ProofKind.None && stored.Proof.Session == stored.Session;
}
