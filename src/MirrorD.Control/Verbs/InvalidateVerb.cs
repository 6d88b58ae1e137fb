using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("invalidate", HelpText = "Throw this standby's copy away; the whole copy comes from the other node again.")]
internal sealed class InvalidateVerb : ResourceVerb
{
    [Option("yes", HelpText = "Don't ask.")]
    public bool Yes { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (!Yes)
        {
            context.Error.WriteLine($"The copy of {Resource} on {Node ?? "this node"} is thrown away. "
                + "Until it is copied again, the other node has the only one.");
            await context.Confirm(
                "this", "Type the name of the resource to go on", Resource, "you accept this", stop);
        }

        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Invalidate, Resource), null, stop), context);
    }
}
