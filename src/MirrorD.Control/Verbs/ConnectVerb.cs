using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("connect", HelpText = "Take the mirroring up again after disconnect; what differs is copied.")]
internal sealed class ConnectVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Connect, Resource), null, stop), context);
    }
}
