using System.Text.Json;
using CommandLine;
using MirrorD.Api;
using MirrorD.Control.Output;

namespace MirrorD.Control.Verbs;

[Verb("status", HelpText = "Show the resources of this node and how far they are mirrored.")]
internal sealed class StatusVerb : DaemonVerb
{
    [Value(0, MetaName = "resource", HelpText = "Only this resource.")]
    public string? Resource { get; set; }

    [Option("json", HelpText = "As JSON (docs/api.md).")]
    public bool Json { get; set; }

    [Option("watch", HelpText = "Go on showing each change until interrupted.")]
    public bool Watch { get; set; }

    [Option("wide", HelpText = "Also show every network on which other nodes are heard.")]
    public bool Wide { get; set; }

    [Option("check", HelpText = "Exit with 4 unless every resource is fully mirrored.")]
    public bool Check { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        if (!Watch)
        {
            StatusReport report = Only(await daemon.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop));
            Show(report, context);
            return Check && report.Resources.Any(resource => resource.Health != ResourceHealth.Ok)
                ? ExitCode.NotMirrored
                : ExitCode.Ok;
        }

        var reports = daemon.Stream(ApiPaths.StatusStream, ApiJson.Compact.StatusReport, stop);
        if (context.IsTerminal && !Json)
        {
            await StatusTable.Watch(Selected(reports), context, Wide);
        }
        else
        {
            await foreach (StatusReport report in Selected(reports))
            {
                Show(report, context);
                await context.Out.FlushAsync(stop);
            }
        }

        return stop.IsCancellationRequested
            ? ExitCode.Ok
            : throw new CommandFailure(
                ExitCode.Unreachable, "the daemon ended the connection",
                "see whether it still runs: systemctl status mirrord");
    }

    private async IAsyncEnumerable<StatusReport> Selected(IAsyncEnumerable<StatusReport> reports)
    {
        await foreach (StatusReport report in reports)
        {
            yield return Only(report);
        }
    }

    private void Show(StatusReport report, CommandContext context)
    {
        if (Json)
        {
            // One line each when they follow one another, so that a reader can split them.
            ApiJson style = Watch ? ApiJson.Compact : ApiJson.Indented;
            context.Out.WriteLine(JsonSerializer.Serialize(report, style.StatusReport));
        }
        else if (context.IsTerminal)
        {
            StatusTable.Write(report, context, Wide);
        }
        else
        {
            StatusColumns.Write(report, context.Out, Wide);
        }
    }

    private StatusReport Only(StatusReport report)
    {
        if (Resource is null)
        {
            return report;
        }

        ResourceReport? one = report.Resources.FirstOrDefault(resource => resource.Name == Resource);
        return one is not null
            ? report with { Resources = [one] }
            : throw new CommandFailure(
                ExitCode.Failed, $"node {report.Node} has no resource '{Resource}'",
                $"it has {string.Join(", ", report.Resources.Select(resource => resource.Name))}");
    }
}
