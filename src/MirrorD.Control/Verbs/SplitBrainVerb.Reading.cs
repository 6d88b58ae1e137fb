using MirrorD.Api;

namespace MirrorD.Control.Verbs;

/// <content>A Standby's copy, opened for reading before something is given up.</content>
internal sealed partial class SplitBrainVerb
{
    private async Task<int> Reading(DaemonClient daemon, CommandContext context, CancellationToken stop)
    {
        string path = Action == "export" ? ApiPaths.OpenCopy : ApiPaths.CloseCopy;
        CommandReply reply = await daemon.Command(ApiPaths.For(path, Resource), null, stop);
        if (reply.Succeeded && Action == "export")
        {
            StatusReport report = await daemon.Get(ApiPaths.Status, ApiJson.Compact.StatusReport, stop);
            foreach (VolumeReport volume in Find(report).Volumes.Where(volume => volume.CopySocket is not null))
            {
                context.Out.WriteLine($"nbd+unix:///{Resource}/{volume.Name}?socket={volume.CopySocket}");
            }
        }

        return Report(reply, context);
    }
}
