using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// Looks at the superblocks as they are written: a copy that is Outdated or Inconsistent does not become a
/// Primary's (I-15), and neither does one that booted alone, without peer, arbiter or stored proof (I-18),
/// unless forced.
/// </summary>
public sealed class RoleCheck
{
    private readonly PairSimulation _simulation;
    private readonly HashSet<string> _forced = [];

    /// <summary>Watches both nodes' metadata.</summary>
    public RoleCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        foreach (SimulatedNodeState node in simulation.Nodes)
        {
            foreach (VolumeCopy copy in node.Copies)
            {
                Superblock? before = copy.Stored.Superblock;
                copy.MetadataChanged += () =>
                {
                    Superblock? now = copy.Stored.Superblock;
                    if (now is { WasPrimary: true } && before is { WasPrimary: false })
                    {
                        Check(node, now);
                    }

                    before = now ?? before;
                };
            }
        }
    }

    /// <summary>The operator gives a command.</summary>
    public void CommandGiven(SimulatedNodeState node, ResourceCommand command)
    {
        if (command is ResourceCommand.Promote { Force: true })
        {
            _forced.Add(node.Name);
        }
    }

    /// <summary>The command ended.</summary>
    public void CommandEnded(SimulatedNodeState node, ResourceCommand command, CommandOutcome outcome)
    {
        _forced.Remove(node.Name);
        if (!outcome.Succeeded || command is not ResourceCommand.Promote { Force: false } || node.SawPeer
            || _simulation.Scenario.HasArbiter)
        {
            return;
        }

        if (!node.Copies[0].Stored.HasProof)
        {
            throw new RuleBroken("I-18", $"{node.Name} booted alone and was promoted without any proof");
        }
    }

    private void Check(SimulatedNodeState node, Superblock stored)
    {
        if (stored.DiskState is DiskState.Inconsistent or DiskState.Outdated && !_forced.Contains(node.Name))
        {
            throw new RuleBroken(
                "I-15", $"{node.Name} became Primary with a copy that is {stored.DiskState}");
        }
    }
}
