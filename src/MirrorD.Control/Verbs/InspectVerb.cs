using CommandLine;
using MirrorD.Control.Inspection;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Linux;

namespace MirrorD.Control.Verbs;

[Verb(
    "inspect",
    HelpText = "Decode the metadata on a device or file; works without the daemon and changes nothing.")]
internal sealed class InspectVerb : Verb
{
    [Value(0, Required = true, MetaName = "device", HelpText = "Backing device, or device of the metadata.")]
    public string Device { get; set; } = "";

    [Option("dump", HelpText = "With every dirty block, as text that holds all of the metadata.")]
    public bool Dump { get; set; }

    [Option("external", HelpText = "The device holds nothing but metadata: look at its begin only.")]
    public bool External { get; set; }

    public override Task<int> Run(CommandContext context, CancellationToken stop)
    {
        try
        {
            using RawDevice device = RawDevice.Open(Device);
            MetadataInspection found = Find(device);
            if (Dump && found.Image is { } image)
            {
                MetadataText.WriteDump(image, context.Out);
                return Task.FromResult(ExitCode.Ok);
            }

            MetadataText.WriteReport(found, context.Out);
            return Task.FromResult(found.Image is not null
                ? ExitCode.Ok
                : throw new CommandFailure(
                    ExitCode.Failed,
                    $"{Device} holds no intact metadata at its {(External ? "begin" : "end or begin")}",
                    "check the path; 'mirrorctl create' prepares a new volume"));
        }
        catch (IOException failed)
        {
            throw new CommandFailure(ExitCode.Failed, failed.Message.TrimEnd('.'), "check the path");
        }
    }

    private MetadataInspection Find(RawDevice device)
    {
        LinuxDisk disk = LinuxDisk.Open(Device, isWritable: false, isExclusive: false);
        long lengthBytes = disk.LengthBytes;
        disk.Close();
        MetadataInspection? atEnd = External || lengthBytes < MetadataPlacement.MinimumInternalBytes
            ? null
            : Inspect(device, MetadataPlacement.Internal(lengthBytes).MetadataOffset);
        if (atEnd?.Image is not null)
        {
            return atEnd;
        }

        MetadataInspection atBegin = Inspect(device, 0);
        return atBegin.Image is not null ? atBegin : atEnd ?? atBegin;
    }

    private static MetadataInspection Inspect(RawDevice device, long areaOffset) =>
        MetadataInspector.Inspect((offset, into) => device.TryRead(areaOffset + offset, into));
}
