using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("version", HelpText = "Show the versions of mirrorctl and, if it runs, of the daemon.")]
internal sealed class VersionVerb : DaemonVerb
{
    /// <summary>Version of this program.</summary>
    public static string OfThisProgram =>
        typeof(VersionVerb).Assembly.GetName().Version is { } version
            ? $"{version.Major}.{version.Minor}.{version.Build}"
            : "unknown";

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        context.Out.WriteLine($"mirrorctl {OfThisProgram}");
        using var daemon = new DaemonClient(Socket, Node);
        try
        {
            VersionReport report = await daemon.Get(ApiPaths.Version, ApiJson.Compact.VersionReport, stop);
            string io = report.Io is { } name ? $", {name}" : "";
            context.Out.WriteLine(
                $"mirrord {report.Version} (node {report.Node}, process {report.ProcessId}{io})");
        }
        catch (CommandFailure failure) when (failure.ExitCode == ExitCode.Unreachable)
        {
            context.Out.WriteLine($"mirrord: {failure.Problem}");
        }

        return ExitCode.Ok;
    }
}
