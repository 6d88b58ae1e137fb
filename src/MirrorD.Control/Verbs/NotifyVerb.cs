using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("notify", HelpText = "notify test: send a test notification and say whether it went out.")]
internal sealed class NotifyVerb : DaemonVerb
{
    [Value(0, Required = true, MetaName = "test", HelpText = "What to do: test.")]
    public string Action { get; set; } = "";

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (Action != "test")
        {
            throw new CommandFailure(
                ExitCode.Usage, $"there is no 'notify {Action}'", "did you mean 'notify test'?");
        }

        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.NotifyTest, null, stop), context);
    }
}
