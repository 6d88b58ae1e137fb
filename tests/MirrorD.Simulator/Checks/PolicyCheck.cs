using MirrorD.Core.Handshake;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// A copy that gives way in a split brain (J1 takes it back to the base) does so by an operator's word on that node, or by a
/// policy that both nodes have. By a policy nothing is given up but what it may, judged by what lies on the disks: never what
/// a Primary has, or one that crashed, and what a Standby changed only by discard-standby, to a Primary, and if its role
/// ended since its daemon started.
/// </summary>
public sealed class PolicyCheck
{
    private readonly PairSimulation _simulation;
    private readonly Dictionary<string, int> _words = new() { ["a"] = 0, ["b"] = 0 };
    private readonly HashSet<string> _endedHere = [];

    /// <summary>Watches the metadata of all volumes of both nodes.</summary>
    public PolicyCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        foreach (SimulatedNodeState node in simulation.Nodes)
        {
            Array.ForEach(node.Copies, copy => Watch(node, copy));
        }
    }

    /// <summary>A command is given to a node: perhaps the word that its copy gives way.</summary>
    public void CommandGiven(SimulatedNodeState node, ResourceCommand command) =>
        _words[node.Name] += command is ResourceCommand.DiscardCopy ? 1 : 0;

    /// <summary>It has ended, in whichever way.</summary>
    public void CommandEnded(SimulatedNodeState node, ResourceCommand command) =>
        _words[node.Name] -= command is ResourceCommand.DiscardCopy ? 1 : 0;

    /// <summary>Words end with the process that heard them; a role that ended before was not ended in view of a split.</summary>
    public void ProcessStarts(SimulatedNodeState node)
    {
        _words[node.Name] = 0;
        _endedHere.Remove(node.Name);
    }

    private void Watch(SimulatedNodeState node, VolumeCopy copy)
    {
        Superblock? before = copy.Stored.Superblock;
        copy.MetadataChanged += () =>
        {
            Superblock? now = copy.Stored.Superblock;
            bool isNewer = before is not null && now?.Sequence > before.Sequence;
            if (isNewer && GivesWay(before!, now!) && _words[node.Name] == 0)
            {
                Check(node, before!);
            }

            if (isNewer && before!.WasPrimary && !now!.WasPrimary)
            {
                _endedHere.Add(node.Name);
            }

            before = now ?? before;
        };
    }

    /// <summary>The generation that it began is given up for the one before it.</summary>
    private static bool GivesWay(Superblock before, Superblock now) =>
        !before.Bitmap.IsNone && now.Current == before.Bitmap && now.Bitmap.IsNone && now.DiskState == DiskState.Inconsistent;

    private void Check(SimulatedNodeState node, Superblock before)
    {
        SimulatedNodeState peer = _simulation.PeerOf(node);
        SplitBrainPolicy policy = _simulation.Scenario.PolicyOf(node.Name);
        bool hasChanged = Array.Exists(node.Copies, copy =>
            Enumerable.Range(0, (int)(copy.StoredBytes / 4096)).Any(block => copy.Stored.Covers(block)));
        string? wrong = policy == SplitBrainPolicy.Manual ? "no operator and no policy said so"
            : policy != _simulation.Scenario.PolicyOf(peer.Name) ? "the nodes have different policies"
            : before.WasPrimary || node.Status?.Role == Role.Primary ? "it is, or was when its daemon ended, a Primary's"
            : !hasChanged ? null
            : !_endedHere.Contains(node.Name) ? "it has changed, and its role ended before its daemon started"
            : policy == SplitBrainPolicy.DiscardUnchanged ? "it has changed"
            : peer.Status?.Role != Role.Primary ? "it has changed, and the other node is no Primary"
            : null;
        if (wrong is not null)
        {
            throw new RuleBroken("I-12", $"the copy of {node.Name} was given up in a split brain, but {wrong}");
        }

        _simulation.Tally.GivenUp++;
    }
}
