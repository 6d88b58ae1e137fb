using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("promote", HelpText = "Make this node the Primary, by the rules.")]
internal sealed class PromoteVerb : ResourceVerb
{
    [Option("force", HelpText = "Also against the rules: says what is lost and asks.")]
    public bool Force { get; set; }

    [Option("yes", HelpText = "With --force: don't ask.")]
    public bool Yes { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        if (Force)
        {
            await Confirm(daemon, context, stop);
        }

        string path = ApiPaths.For(ApiPaths.Promote, Resource);
        return Report(
            await daemon.Command(path, new PromoteRequest { Force = Force }, ApiJson.Compact.PromoteRequest, stop), context);
    }

    private async Task Confirm(DaemonClient daemon, CommandContext context, CancellationToken stop)
    {
        string path = ApiPaths.For(ApiPaths.Explain, Resource);
        ExplainReport report = await daemon.Get(path, ApiJson.Compact.ExplainReport, stop);
        context.Error.WriteLine($"Promoting {Resource} by force:");
        foreach (string loss in report.IfForced)
        {
            context.Error.WriteLine($"  - {loss}");
        }

        if (!Yes)
        {
            await context.Confirm(
                "a forced promotion", "Type the name of the resource to go on", Resource, "you accept this", stop);
        }
    }
}
