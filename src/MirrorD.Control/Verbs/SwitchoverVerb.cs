using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("switchover", HelpText = "Let the two nodes change roles without loss; works from either of them.")]
internal sealed class SwitchoverVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Switchover, Resource), null, stop), context);
    }
}
