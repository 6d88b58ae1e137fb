using CommandLine;
using MirrorD.Configuration;
using MirrorD.Configuration.NodeState;
using MirrorD.Control.Creation;
using MirrorD.Control.Output;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Control.Verbs;

[Verb("create", HelpText = "Prepare this node's devices of a resource; run it on both nodes.")]
internal sealed class CreateVerb : NodeVerb
{
    [Value(0, Required = true, MetaName = "resource", HelpText = "Name of the resource.")]
    public string Resource { get; set; } = "";

    [Option(
        "from", MetaValue = "NODE", HelpText = "The data of this node counts; the other one gets a copy.")]
    public string? From { get; set; }

    [Option("empty", HelpText = "There is no data yet: zero the volumes on both nodes.")]
    public bool Empty { get; set; }

    [Option("overwrite", HelpText = "Give up what the devices of this node hold.")]
    public bool Overwrite { get; set; }

    [Option(
        "size",
        HelpText = "Size of the volume (20GiB, or a number of bytes), where this disk is larger than the other node's.")]
    public string? Size { get; set; }

    [Option("state-dir", MetaValue = "DIRECTORY", HelpText = "Node id (" + StateDirectory.DefaultPath + ").")]
    public string State { get; set; } = StateDirectory.DefaultPath;

    public override Task<int> Run(CommandContext context, CancellationToken stop)
    {
        (ClusterConfiguration configuration, string node) = LoadConfiguration();
        if (!configuration.Resources.TryGetValue(Resource, out ResourceConfiguration? resource))
        {
            throw new CommandFailure(
                ExitCode.Failed, $"the configuration has no resource '{Resource}'",
                $"it has {string.Join(", ", configuration.Resources.Keys)}");
        }

        if (!resource.On.TryGetValue(node, out ResourceOnNode? here))
        {
            throw new CommandFailure(
                ExitCode.Failed, $"resource {Resource} is not on this node ({node})",
                $"it is between {string.Join(" and ", resource.Between)}");
        }

        CreationSource source = Source(resource, node);
        var state = new StateDirectory(State);
        var id = new NodeId(state.NodeId());
        // All volumes are examined before the first one is written.
        List<VolumePlan> plans =
        [
            .. here.Volumes.Select((volume, index) => Sized(VolumePlan.For(volume, index, source, Overwrite), source, here)),
        ];
        plans.ForEach(plan => state.ForgetPlace(Resource, plan.Volume.Name));
        VolumeCreation.CreateAll(Resource, id, source, plans);
        foreach (VolumePlan plan in plans)
        {
            context.Out.WriteLine(
                $"{Resource}/{plan.Volume.Name}: {Quantity.Bytes(plan.Placement.DataBytes)} on " +
                $"{plan.Volume.Path}, " +
                $"metadata {Quantity.Bytes(plan.Placement.MetadataBytes)} " +
                (plan.Volume.MetadataPath is { } path ? $"on {path}" : "at its end"));
        }

        string option = Empty ? "--empty" : $"--from {From}";
        context.Out.WriteLine(
            $"Next: 'mirrorctl create {Resource} {option}' on {resource.PeerOf(node)}, start mirrord on " +
            "both, then " +
            $"'mirrorctl promote {Resource}' on {From ?? node}.");
        return Task.FromResult(ExitCode.Ok);
    }

    private VolumePlan Sized(VolumePlan plan, CreationSource source, ResourceOnNode here)
    {
        if (!SizeOption.TryParse(Size, out long? bytes) || bytes % MetadataLayout.BlockBytes > 0)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"'{Size}' is no size",
                $"write it as 20GiB, 500MiB or a number of bytes, a multiple of {MetadataLayout.BlockBytes}");
        }

        return bytes is null ? plan
            : here.Volumes.Count > 1 || source == CreationSource.Self
                ? throw new CommandFailure(
                    ExitCode.Usage, "--size is for a resource with one volume, on the node that gets the copy")
            : bytes > plan.Placement.DataBytes
                ? throw new CommandFailure(
                    ExitCode.Failed,
                    $"{plan.Volume.Path} has room for {plan.Placement.DataBytes} bytes, not for {bytes}", "enlarge it")
            : plan with { Placement = plan.Placement with { DataBytes = bytes.Value } };
    }

    private CreationSource Source(ResourceConfiguration resource, string node)
    {
        if (Empty == (From is not null))
        {
            throw new CommandFailure(
                ExitCode.Usage, "which side's data counts is never guessed",
                $"say '--from {resource.Between[0]}', '--from {resource.Between[1]}' or '--empty'");
        }

        if (Empty)
        {
            return CreationSource.Empty;
        }

        return resource.Between.Contains(From)
            ? From == node ? CreationSource.Self : CreationSource.Peer
            : throw new CommandFailure(
                ExitCode.Usage, $"--from {From}: resource {Resource} is not on that node",
                $"it is between {string.Join(" and ", resource.Between)}");
    }
}
