using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("revert", HelpText = "Go back to the copy from before a resync that was interrupted for good.")]
internal sealed class RevertVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Revert, Resource), null, stop), context);
    }
}
