using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

/// <summary>A command that the daemon carries out.</summary>
internal abstract class DaemonVerb : Verb
{
    [Option(
        "socket", MetaValue = "PATH", HelpText = "Socket of the daemon (" + ApiPaths.DefaultSocket + ").")]
    public string Socket { get; set; } = ApiPaths.DefaultSocket;

    [Option("node", MetaValue = "NAME", HelpText = "The node that is meant, through the daemon of this one.")]
    public string? Node { get; set; }

    protected static int Report(CommandReply reply, CommandContext context)
    {
        if (reply.Succeeded)
        {
            context.Out.WriteLine(reply.Message);
            return ExitCode.Ok;
        }

        context.Fail(reply.Message.TrimEnd('.'), reply.Remedy);
        return ExitCode.Failed;
    }
}
