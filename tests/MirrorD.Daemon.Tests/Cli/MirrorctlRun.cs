using MirrorD.Control;

namespace MirrorD.Daemon.Tests.Cli;

/// <summary>One run of mirrorctl in this process, not on a terminal.</summary>
internal sealed record MirrorctlRun(int ExitCode, string Output, string Error)
{
    public static Task<MirrorctlRun> Of(params string[] arguments) => Answering(null, arguments);

    /// <summary>With somebody who types an answer to a question.</summary>
    public static async Task<MirrorctlRun> Answering(string? answer, params string[] arguments)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var context = new CommandContext(
            output, error, new StringReader(answer ?? ""), false, answer is not null);
        int code = await Within.Deadline(
            MirrorctlCommandLine.Run(arguments, context, CancellationToken.None),
            $"mirrorctl {string.Join(' ', arguments)} to end");
        return new MirrorctlRun(code, output.ToString(), error.ToString());
    }
}
