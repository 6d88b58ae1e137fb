using System.Text.Json;
using CommandLine;
using MirrorD.Api;
using MirrorD.Control.Load;
using MirrorD.Control.Output;
using Spectre.Console;

namespace MirrorD.Control.Verbs;

[Verb("top", HelpText = "Show what clients ask of the volumes of this node, and where the time goes.")]
internal sealed class TopVerb : DaemonVerb
{
    private static readonly TimeSpan s_once = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);

    [Value(0, MetaName = "resource", HelpText = "Only this resource.")]
    public string? Resource { get; set; }

    [Option("once", HelpText = "One sample over a second, then end.")]
    public bool Once { get; set; }

    [Option("json", HelpText = "One JSON object a line (docs/api.md).")]
    public bool Json { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        IAsyncEnumerable<IReadOnlyList<VolumeRateReport>> samples = Samples(daemon, stop);
        if (context.IsTerminal && !Json && !Once)
        {
            await LoadTable.Watch(samples, context);
            return ExitCode.Ok;
        }

        await foreach (IReadOnlyList<VolumeRateReport> volumes in samples)
        {
            Show(volumes, context);
            await context.Out.FlushAsync(stop);
        }

        return ExitCode.Ok;
    }

    private async IAsyncEnumerable<IReadOnlyList<VolumeRateReport>> Samples(
        DaemonClient daemon, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        LoadReport before = await daemon.Get(ApiPaths.Load, ApiJson.Compact.LoadReport, stop);
        StatusReport status = await daemon.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop);
        if (Resource is not null && status.Resources.All(each => each.Name != Resource))
        {
            throw new CommandFailure(ExitCode.Failed, $"node {status.Node} has no resource '{Resource}'",
                $"it has {string.Join(", ", status.Resources.Select(each => each.Name))}");
        }

        do
        {
            await Task.Delay(Once ? s_once : s_interval, stop);
            LoadReport after = await daemon.Get(ApiPaths.Load, ApiJson.Compact.LoadReport, stop);
            status = await daemon.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop);
            yield return
            [
                .. LoadDifference.Between(before, after, status).Where(each => Resource is null || each.Resource == Resource),
            ];
            before = after;
        }
        while (!Once);
    }

    private void Show(IReadOnlyList<VolumeRateReport> volumes, CommandContext context)
    {
        if (Json)
        {
            foreach (VolumeRateReport volume in volumes)
            {
                context.Out.WriteLine(JsonSerializer.Serialize(volume, ApiJson.Compact.VolumeRateReport));
            }
        }
        else if (context.IsTerminal)
        {
            LoadTable.Write(volumes, context);
        }
        else
        {
            LoadTable.WriteColumns(volumes, context.Out);
        }
    }
}
