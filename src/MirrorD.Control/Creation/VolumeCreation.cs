using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Control.Creation;

/// <summary>Carries plans out: zeroes where asked, and writes the metadata.</summary>
internal static class VolumeCreation
{
    private const long ZeroPieceBytes = 1L << 30;

    /// <summary>Creates all volumes of a resource on this node.</summary>
    public static void CreateAll(
        string resource, NodeId node, CreationSource source, IReadOnlyList<VolumePlan> plans)
    {
        var generation = new Generation(RandomIdentifier.New());
        foreach (VolumePlan plan in plans)
        {
            Superblock initial = VolumeFormatter.Initial(
                resource, plan.Volume.Name, plan.Index, node, plan.Placement.DataBytes, source, generation);
            Create(plan, initial, source);
        }
    }

    private static void Create(VolumePlan plan, Superblock initial, CreationSource source)
    {
        var opened = new List<LinuxDisk>();
        try
        {
            LinuxDisk Open(string path)
            {
                LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
                opened.Add(disk);
                return disk;
            }

            if (plan.MakesMetadataFile)
            {
                LinuxDisk.CreateFile(plan.Volume.MetadataPath!, plan.Placement.MetadataBytes);
            }

            LinuxDisk data = Open(plan.Volume.Path);
            LinuxDisk metadata = plan.Volume.MetadataPath is { } path ? Open(path) : data;
            var options = new VolumeOptions(
                plan.Volume.Name, data, metadata, plan.Placement.MetadataOffset,
                plan.Placement.MetadataBytes);
            using LinuxLoop loop = LoopFactory.BestHere().Create();
            if (source == CreationSource.Empty)
            {
                // Joined copies are equal, and empty ones are joined without moving data.
                Zero(loop, data, plan.Placement.DataBytes);
            }

            bool everythingDirty = source != CreationSource.Empty;
            RunToEnd(loop, data.Name, "its metadata can't be written", done =>
                VolumeFormatter.Format(loop, options, initial, everythingDirty, done));
        }
        catch (IOException failed)
        {
            throw new CommandFailure(ExitCode.Failed, failed.Message.TrimEnd('.'));
        }
        finally
        {
            opened.ForEach(disk => disk.Close());
        }
    }

    private static void Zero(LinuxLoop loop, LinuxDisk disk, long lengthBytes)
    {
        for (long offset = 0; offset < lengthBytes; offset += ZeroPieceBytes)
        {
            long from = offset;
            RunToEnd(loop, disk.Name, "it can't be zeroed", done => loop.Zero(
                disk, from, Math.Min(ZeroPieceBytes, lengthBytes - from), mayUnmap: true,
                new IoOperation(operation => done(-operation.Result))));
        }

        RunToEnd(loop, disk.Name, "it can't be flushed", done =>
            loop.Flush(disk, new IoOperation(operation => done(-operation.Result))));
    }

    private static void RunToEnd(LinuxLoop loop, string disk, string failure, Action<Action<int>> begin)
    {
        int error = -1;
        begin(result =>
        {
            error = result;
            loop.Stop();
        });
        loop.Run();
        if (error > 0)
        {
            throw new CommandFailure(
                ExitCode.Failed, $"{disk}: {failure} (errno {error})",
                "look into the kernel's log ('dmesg') and repeat the command with --overwrite");
        }
    }
}
