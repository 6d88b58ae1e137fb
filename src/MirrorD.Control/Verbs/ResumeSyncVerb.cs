using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("resume-sync", HelpText = "Let a paused resync go on.")]
internal sealed class ResumeSyncVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.ResumeSync, Resource), null, stop), context);
    }
}
