using MirrorD.Core.Handshake;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// Looks at the superblocks as they are written: a copy that is Outdated or Inconsistent does not become a
/// Primary's (I-15), neither does one without joined peer that has no stored proof (I-18), and nobody takes over
/// whose peer could be heard all the time (I-16); unless an operator forced it.
/// </summary>
public sealed class RoleCheck
{
    /// <summary>Longest time from the last look at the paths to the stored promotion: a claim, and slow disks.</summary>
    private const long ClaimNs = 3_000_000_000;

    private readonly PairSimulation _simulation;
    private readonly Dictionary<string, ResourceCommand> _commands = [];

    // World time at which the last process of a node ended whose disks were out of use.
    private readonly Dictionary<SimulatedNodeState, long> _endedWithoutDiskNs = [];

    /// <summary>Watches both nodes' metadata.</summary>
    public RoleCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        foreach (SimulatedNodeState node in simulation.Nodes)
        {
            VolumeCopy copy = node.Copies[0];
            Superblock? before = copy.Stored.Superblock;
            copy.MetadataChanged += () =>
            {
                Superblock? now = copy.Stored.Superblock;
                if (now is { WasPrimary: true } && before is not null && IsPromotion(node, before, now))
                {
                    Promoted(node, before, now);
                }

                before = now ?? before;
            };
        }
    }

    /// <summary>The operator gives a command.</summary>
    public void CommandGiven(SimulatedNodeState node, ResourceCommand command) => _commands[node.Name] = command;

    /// <summary>The command ended, or nobody waits for it any more.</summary>
    public void CommandEnded(SimulatedNodeState node, ResourceCommand command)
    {
        if (_commands.GetValueOrDefault(node.Name) == command)
        {
            _commands.Remove(node.Name);
        }
    }

    /// <summary>A process is about to end; what it was writing for a command may still land.</summary>
    public void ProcessEnds(SimulatedNodeState node)
    {
        if (node.Status?.DiskState <= DiskState.Failed)
        {
            _endedWithoutDiskNs[node] = _simulation.World.NowNs;
        }
    }

    /// <summary>It and the commands that it ran are gone.</summary>
    public void ProcessEnded(SimulatedNodeState node) => _commands.Remove(node.Name);

    /// <summary>A join sets the counters of both nodes to the higher one, also where WasPrimary is left behind.</summary>
    private static bool IsPromotion(SimulatedNodeState node, Superblock before, Superblock now) =>
        now.Sequence > before.Sequence && (!before.WasPrimary || now.Promotions > before.Promotions)
        && (!before.WasPrimary || now.DiskState == DiskState.UpToDate || !IsConnected(node));

    private static bool IsConnected(SimulatedNodeState node) =>
        node.Status is { Link: not (LinkState.Disconnected or LinkState.Refused) };

    private void Promoted(SimulatedNodeState node, Superblock before, Superblock now)
    {
        bool isForced = _commands.GetValueOrDefault(node.Name) is ResourceCommand.Promote { Force: true };
        if (now.DiskState is DiskState.Inconsistent or DiskState.Outdated && !isForced)
        {
            throw new RuleBroken("I-15", $"{node.Name} became Primary with a copy that is {now.DiskState}");
        }

        bool isOwn = before.WasPrimary && GenerationRules.HasValidProof(before);
        if (before.Disconnected && !isOwn && _commands.GetValueOrDefault(node.Name) is null)
        {
            throw new RuleBroken("I-16", $"{node.Name} took over by itself although an operator had disconnected it");
        }

        node.PromotedAtStep = _simulation.World.Steps;
        node.Promotion = new Promotion(
            IsConnected(node), before.WasPrimary, _commands.GetValueOrDefault(node.Name), _simulation.World.NowNs,
            _simulation.Truth.CouldCallLostAtNs(node));
    }

    /// <summary>
    /// A node says that it is Primary now. Only then the promotion counts: a role that was handed over while the link
    /// broke is stored and not taken.
    /// </summary>
    public void SaysPrimary(SimulatedNodeState node, ResourceStatus status)
    {
        if (node.Promotion is not { } promotion)
        {
            throw new RuleBroken("I-18", $"{node.Name} says that it is Primary and has not stored it");
        }

        if (promotion.WasConnected || status.Link != LinkState.Disconnected)
        {
            _simulation.Tally.RolesAtJoin += promotion.Command is null ? 1 : 0;
            return;
        }

        if (!node.Copies[0].Stored.HasProof)
        {
            throw new RuleBroken("I-18", $"{node.Name} became Primary alone, without any proof");
        }

        _simulation.PromotedAlone();
        if (promotion.Command is null)
        {
            RequireLoss(node, promotion);
            _simulation.TookOver(node);
        }
    }

    /// <summary>
    /// A node whose own role it was may resume it, under a proof, whoever is heard; and a Primary whose disk is out of use
    /// serves nobody without the link, however well it is heard; it may be back with that disk when the claim is through.
    /// </summary>
    private void RequireLoss(SimulatedNodeState node, Promotion promotion)
    {
        SimulatedNodeState peer = _simulation.PeerOf(node);
        bool hasNoDisk = peer.Status?.DiskState <= DiskState.Failed
            || (_endedWithoutDiskNs.TryGetValue(peer, out long endedNs) && promotion.AtNs - endedNs <= ClaimNs);
        if (!promotion.WasItsRole && !hasNoDisk && promotion.AtNs - promotion.PeerCouldBeLostAtNs > ClaimNs)
        {
            throw new RuleBroken("I-16", $"{node.Name} took over by itself although {node.PeerName} could be heard on "
                + "some network");
        }
    }
}
