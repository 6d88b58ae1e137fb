using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("demote", HelpText = "Make this node a Standby: releases addresses and exports first.")]
internal sealed class DemoteVerb : ResourceVerb
{
    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Demote, Resource), null, stop), context);
    }
}
