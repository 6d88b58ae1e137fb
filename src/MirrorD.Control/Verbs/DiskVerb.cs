using MirrorD.Api;

namespace MirrorD.Control.Verbs;

/// <summary>A command on the disks of a resource on one node, which are used together or not at all.</summary>
internal abstract class DiskVerb : ResourceVerb
{
    protected async Task<int> Run(string path, CommandContext context, CancellationToken stop)
    {
        if (Resource.Split('/') is [var resource, var volume])
        {
            context.Fail($"the disks of a resource are used together, not that of volume {volume} alone",
                $"name the resource: {resource}");
            return ExitCode.Usage;
        }

        using var daemon = new DaemonClient(Socket, Node);
        return Report(await daemon.Command(ApiPaths.For(path, Resource), null, stop), context);
    }
}
