using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("attach", HelpText = "Take the disks of this node into use again; it is then brought up to date.")]
internal sealed class AttachVerb : DiskVerb
{
    public override Task<int> Run(CommandContext context, CancellationToken stop) => Run(ApiPaths.Attach, context, stop);
}
