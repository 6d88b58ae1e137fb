using System.Globalization;
using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("split-brain", HelpText = "split-brain show: what each node changed since the split. "
    + "split-brain export, unexport: read this Standby's copy. split-brain resolve: give the changes of one node up.")]
internal sealed partial class SplitBrainVerb : DaemonVerb
{
    private const string Split = "SplitBrain";

    [Value(0, Required = true, MetaName = "show|export|unexport|resolve", HelpText = "What to do.")]
    public string Action { get; set; } = "";

    [Value(1, Required = true, MetaName = "resource", HelpText = "Name of the resource.")]
    public string Resource { get; set; } = "";

    [Option("discard", MetaValue = "NODE", HelpText = "With resolve: the node whose changes are given up.")]
    public string? Discard { get; set; }

    [Option("yes", HelpText = "With resolve: don't ask.")]
    public bool Yes { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (Action is not ("show" or "export" or "unexport" or "resolve") || Action == "resolve" != Discard is not null)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"this is no command: split-brain {Action}{(Discard is null ? "" : " --discard")}",
                "mirrorctl split-brain show|export|unexport <resource>, or split-brain resolve <resource> --discard NODE");
        }

        using var here = new DaemonClient(Socket, Node);
        if (Action is "export" or "unexport")
        {
            return await Reading(here, context, stop);
        }

        StatusReport near = await here.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop);
        ResourceReport own = Find(near);
        if (own.HoldUp?.State != Split)
        {
            throw new CommandFailure(
                ExitCode.Failed, $"{Resource} has no split brain", $"mirrorctl explain {Resource}");
        }

        using var there = new DaemonClient(Socket, own.Peer);
        StatusReport far = await there.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop);
        (string Node, ResourceReport Report, DaemonClient Daemon)[] sides =
            [(near.Node, own, here), (far.Node, Find(far), there)];
        TextWriter text = Action == "show" ? context.Out : context.Error;
        text.WriteLine($"{Resource}: {own.HoldUp.Reason}");
        foreach ((string node, ResourceReport report, _) in sides)
        {
            text.WriteLine(Describe(node, report));
        }

        return Action == "show" ? Remedies(sides.Select(side => side.Node), text) : await Resolve(sides, context, stop);
    }

    private int Remedies(IEnumerable<string> nodes, TextWriter text)
    {
        text.WriteLine($"To read a Standby's copy first, on its node: mirrorctl split-brain export {Resource}");
        foreach (string node in nodes)
        {
            text.WriteLine(
                $"To give up what only {node} has: mirrorctl split-brain resolve {Resource} --discard {node}");
        }

        return ExitCode.Ok;
    }

    private async Task<int> Resolve(
        (string Node, ResourceReport Report, DaemonClient Daemon)[] sides, CommandContext context, CancellationToken stop)
    {
        var chosen = Array.Find(sides, side => side.Node == Discard);
        if (chosen.Daemon is null)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"{Discard} is not a node of {Resource}",
                $"--discard {sides[0].Node}, or --discard {sides[1].Node}");
        }

        string kept = sides.Single(side => side.Node != Discard).Node;
        context.Error.WriteLine(
            $"What only {Discard} has is given up, and kept only where {Discard} can take a snapshot; "
            + $"{kept} then brings it up to date.");
        if (!Yes)
        {
            await context.Confirm("this", "Type the name of that node to go on", Discard!, "you accept this", stop);
        }

        return Report(
            await chosen.Daemon.Command(ApiPaths.For(ApiPaths.Discard, Resource), null, stop), context);
    }

    private static string Describe(string node, ResourceReport report)
    {
        string since = report.AloneSince?.ToUniversalTime()
            .ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "an unknown time";
        string changed = string.Join(", ", report.Volumes.Select(volume => string.Create(
            CultureInfo.InvariantCulture, $"{volume.DirtyBytes} bytes of {volume.Name}")));
        return $"  {node}: {report.Role}, {report.DiskState}; alone since {since}; changed since the split: {changed}";
    }

    private ResourceReport Find(StatusReport report) =>
        report.Resources.FirstOrDefault(resource => resource.Name == Resource)
        ?? throw new CommandFailure(
            ExitCode.Failed, $"{report.Node} has no resource {Resource}", "mirrorctl status lists them");
}
