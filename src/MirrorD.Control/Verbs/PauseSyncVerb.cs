using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("pause-sync", HelpText = "Pause the resync of a resource; writes go on to both nodes.")]
internal sealed class PauseSyncVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.PauseSync, Resource), null, stop), context);
    }
}
