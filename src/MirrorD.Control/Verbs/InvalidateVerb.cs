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
            await Confirm(context, stop);
        }

        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(ApiPaths.Invalidate, Resource), null, stop), context);
    }

    private async Task Confirm(CommandContext context, CancellationToken stop)
    {
        context.Error.WriteLine($"The copy of {Resource} on {Node ?? "this node"} is thrown away. "
            + "Until it is copied again, the other node has the only one.");
        if (!context.CanAsk)
        {
            throw new CommandFailure(
                ExitCode.Usage, "this needs a confirmation, and there is no terminal to ask on",
                "add --yes if you accept this");
        }

        context.Error.Write("Type the name of the resource to go on: ");
        string? answer = await context.In.ReadLineAsync(stop);
        if (answer?.Trim() != Resource)
        {
            throw new CommandFailure(ExitCode.Failed, "not confirmed, nothing was changed");
        }
    }
}
