using CommandLine;
using MirrorD.Api;

namespace MirrorD.Control.Verbs;

[Verb("resize", HelpText = "Grow a volume, online, after its disks were enlarged on both nodes.")]
internal sealed class ResizeVerb : DaemonVerb
{
    [Value(0, Required = true, MetaName = "resource[/volume]", HelpText = "The resource, or one of its volumes.")]
    public string Target { get; set; } = "";

    [Option("size", HelpText = "New size (20GiB, or a number of bytes); else as large as both nodes have room for.")]
    public string? Size { get; set; }

    public override async Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (!SizeOption.TryParse(Size, out long? bytes))
        {
            context.Fail($"'{Size}' is no size", "write it as 20GiB, 500MiB or a number of bytes");
            return ExitCode.Usage;
        }

        string[] parts = Target.Split('/', 2);
        using var daemon = new DaemonClient(Socket, Node);
        var request = new ResizeRequest { Volume = parts.Length > 1 ? parts[1] : null, SizeBytes = bytes };
        string path = ApiPaths.For(ApiPaths.Resize, parts[0]);
        return Report(await daemon.Command(path, request, ApiJson.Compact.ResizeRequest, stop), context);
    }
}
