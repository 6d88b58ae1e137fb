using System.Text.Json;
using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("explain", HelpText = "Say why a resource is in its state, what it waits for, and what resolves it.")]
internal sealed class ExplainVerb : ResourceVerb
{
    [Option("json", HelpText = "As JSON (docs/api.md).")]
    public bool Json { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        string path = ApiPaths.For(ApiPaths.Explain, Resource);
        ExplainReport report = await daemon.Get(path, ApiJson.Compact.ExplainReport, stop);
        if (Json)
        {
            context.Out.WriteLine(JsonSerializer.Serialize(report, ApiJson.Indented.ExplainReport));
            return ExitCode.Ok;
        }

        foreach (string sentence in report.Why)
        {
            context.Out.WriteLine(sentence);
        }

        context.Out.WriteLine($"Waits for:        {report.WaitsFor ?? "nothing"}");
        context.Out.WriteLine($"Resolved by:      {report.Remedy ?? "nothing is needed"}");
        context.Out.WriteLine($"If the peer is lost: {report.IfPeerIsLost}");
        context.Out.WriteLine("If promoted by force:");
        foreach (string sentence in report.IfForced)
        {
            context.Out.WriteLine($"  - {sentence}");
        }

        return ExitCode.Ok;
    }
}
