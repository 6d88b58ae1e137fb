using System.Globalization;
using System.Text.Json;
using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("history", HelpText = "Show how resources were taken over and given up, with the time of each phase.")]
internal sealed class HistoryVerb : DaemonVerb
{
    [Value(0, MetaName = "resource", HelpText = "Only this resource.")]
    public string? Resource { get; set; }

    [Option("json", HelpText = "One JSON object a line (docs/api.md).")]
    public bool Json { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        string query = Resource is null ? "" : $"?resource={Uri.EscapeDataString(Resource)}";
        using var daemon = new DaemonClient(Socket, Node);
        HistoryList list = await daemon.Get(ApiPaths.History + query, ApiJson.Compact.HistoryList, stop);
        foreach (TakeoverRecord record in list.Records)
        {
            if (Json)
            {
                context.Out.WriteLine(JsonSerializer.Serialize(record, ApiJson.Compact.TakeoverRecord));
            }
            else
            {
                Write(record, context.Out, TimeZoneInfo.Local);
            }
        }

        return ExitCode.Ok;
    }

    /// <summary>A line for the record and one for each phase: its begin, what it took, its name.</summary>
    internal static void Write(TakeoverRecord record, TextWriter output, TimeZoneInfo zone)
    {
        string at = TimeZoneInfo.ConvertTime(record.At, zone)
            .ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
        string end = record.Succeeded ? "done" : "failed";
        output.WriteLine(
            $"{at}  {record.Resource,-12}  {record.Node,-8}  {record.Kind,-10}  {end,-6}  " +
            $"{record.TotalMs,7} ms  {record.Reason}");
        foreach (TakeoverPhase phase in record.Phases)
        {
            output.WriteLine($"    at {phase.StartMs,7} ms  took {phase.TookMs,7} ms  {phase.Name}");
        }
    }
}
