using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("detach", HelpText = "Take the disks of this node out of use; a Primary goes on through those of its peer.")]
internal sealed class DetachVerb : DiskVerb
{
    public override Task<int> Run(CommandContext context, CancellationToken stop) => Run(ApiPaths.Detach, context, stop);
}
