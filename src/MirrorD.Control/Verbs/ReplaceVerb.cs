using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("node", HelpText = "node replace: a node is gone for good, and another machine takes its place.")]
internal sealed class ReplaceVerb : DaemonVerb
{
    [Value(0, Required = true, MetaName = "replace", HelpText = "What to do: replace.")]
    public string Action { get; set; } = "";

    [Value(1, Required = true, MetaName = "name", HelpText = "Name of the node that was replaced.")]
    public string Replaced { get; set; } = "";

    [Option("yes", HelpText = "Don't ask.")]
    public bool Yes { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (Action != "replace")
        {
            throw new CommandFailure(ExitCode.Usage, $"this is no command: node {Action}", "mirrorctl node replace <name>");
        }

        using var daemon = new DaemonClient(Socket, Node);
        StatusReport status = await daemon.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop);
        ResourceReport[] resources = [.. status.Resources.Where(resource => resource.Peer == Replaced)];
        if (resources.Length == 0)
        {
            throw new CommandFailure(
                ExitCode.Failed, $"{status.Node} has no resource together with a node {Replaced}",
                $"its peers: {string.Join(", ", status.Resources.Select(resource => resource.Peer).Distinct())}");
        }

        await Confirm(resources, context, stop);
        int result = ExitCode.Ok;
        foreach (ResourceReport resource in resources)
        {
            string path = ApiPaths.For(ApiPaths.ReplacePeer, resource.Name);
            int one = Report(await daemon.Command(path, null, stop), context);
            result = one == ExitCode.Ok ? result : one;
        }

        return result;
    }

    private async Task Confirm(ResourceReport[] resources, CommandContext context, CancellationToken stop)
    {
        if (Yes)
        {
            return;
        }

        context.Error.WriteLine($"The machine that was {Replaced} is never let in again, and what only it has is given up:");
        foreach (ResourceReport resource in resources)
        {
            context.Error.WriteLine($"  - {resource.Name}: {resource.Role} here, {resource.DiskState}"
                + (resource.HoldUp is { } held ? $"; {held.Reason}" : ""));
        }

        const string question = "Make sure that the old machine is off for good. Type the name of the node to go on";
        await context.Confirm("replacing a node", question, Replaced, "the old machine is off for good", stop);
    }
}
