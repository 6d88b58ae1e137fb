using CommandLine;
using MirrorD.Control.Output;

namespace MirrorD.Control.Verbs;

[Verb(
    "devices",
    HelpText = "Show the block devices of mirrord on this host and who uses them; works without the daemon.")]
internal sealed class DevicesVerb : Verb
{
    // udev opens a device for moments whenever something changed.
    private static readonly TimeSpan s_secondLook = TimeSpan.FromMilliseconds(300);
    private const int Looks = 4;

    [Option("check", HelpText = "Exit with 5 when one is in use.")]
    public bool Check { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        IReadOnlyList<DeviceLine> lines = DeviceLine.Of("/");
        for (int looks = 1; looks < Looks && IsUsed(lines); looks++)
        {
            await Task.Delay(s_secondLook, stop);
            lines = DeviceLine.Of("/");
        }

        foreach (DeviceLine line in lines)
        {
            await context.Out.WriteLineAsync(line.ToString());
        }

        return Check && IsUsed(lines) ? ExitCode.InUse : ExitCode.Ok;
    }

    private static bool IsUsed(IReadOnlyList<DeviceLine> lines) => lines.Any(line => line.Use is not null);
}
