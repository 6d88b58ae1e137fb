using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("disconnect", HelpText = "End the mirroring of a resource on this node until 'connect'; nothing freezes.")]
internal sealed class DisconnectVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Disconnect, Resource), null, stop), context);
    }
}
