using System.Globalization;
using System.Text.Json;
using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("events", HelpText = "Show what happened on this node.")]
internal sealed class EventsVerb : DaemonVerb
{
    [Option("follow", HelpText = "Go on showing new ones until interrupted.")]
    public bool Follow { get; set; }

    [Option("after", MetaValue = "SEQUENCE", HelpText = "Only those after this sequence number.")]
    public long After { get; set; }

    [Option("json", HelpText = "One JSON object a line (docs/api.md).")]
    public bool Json { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        string query = string.Create(CultureInfo.InvariantCulture, $"?after={After}");
        using var daemon = new DaemonClient(Socket, Node);
        if (!Follow)
        {
            EventList list = await daemon.Get(ApiPaths.Events + query, ApiJson.Compact.EventList, stop);
            foreach (EventReport happened in list.Events)
            {
                Show(happened, context);
            }

            return ExitCode.Ok;
        }

        var stream = daemon.Stream(ApiPaths.EventStream + query, ApiJson.Compact.EventReport, stop);
        await foreach (EventReport happened in stream)
        {
            Show(happened, context);
            await context.Out.FlushAsync(stop);
        }

        throw new CommandFailure(
            ExitCode.Unreachable, "the daemon ended the connection",
            "see whether it still runs: systemctl status mirrord");
    }

    private void Show(EventReport happened, CommandContext context) => context.Out.WriteLine(
        Json
            ? JsonSerializer.Serialize(happened, ApiJson.Compact.EventReport)
            : $"{happened.At.ToLocalTime():yyyy-MM-dd HH:mm:ss.fff}  {happened.Resource ?? "-",-12}  " +
              $"{happened.Kind,-20}  {happened.Message}");
}
