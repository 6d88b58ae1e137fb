using MirrorD.Control.Inspection;
using MirrorD.Formats.Metadata;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Control.Creation;

/// <summary>What is on a device before anything is written.</summary>
/// <param name="Path">The device or file.</param>
/// <param name="LengthBytes">Its size.</param>
/// <param name="Signatures">What it holds.</param>
/// <param name="Header">Its first bytes.</param>
internal sealed record DevicePicture(
    string Path, long LengthBytes, IReadOnlyList<Signature> Signatures, byte[] Header)
{
    /// <summary>Looks at a device that nothing uses.</summary>
    /// <exception cref="CommandFailure">It is not there, is in use, or can't be read.</exception>
    public static DevicePicture Of(string path)
    {
        if (DeviceUse.Describe(path) is { } use)
        {
            throw CreationRefusal.Of(path, use, "end that use first; nothing was changed");
        }

        try
        {
            LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
            long lengthBytes = disk.LengthBytes;
            disk.Close();
            var header = new byte[FileSystemEnd.HeaderBytes];
            using RawDevice device = RawDevice.Open(path);
            device.TryRead(0, header);
            return new DevicePicture(path, lengthBytes, Signature.On(path), header);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(
                ExitCode.Failed, failed.Message.TrimEnd('.'),
                failed.HResult == Errno.EBUSY
                    ? "end that use first, e.g. 'systemctl stop mirrord'; nothing was changed"
                    : "check the path in the configuration; nothing was changed");
        }
    }

    /// <summary>MirrorD's own metadata in an area of this device; null when there is none.</summary>
    public Superblock? SuperblockAt(long areaOffset)
    {
        using RawDevice device = RawDevice.Open(Path);
        Span<byte> block = new byte[SuperblockCodec.LengthBytes];
        for (int slot = 0; slot < MetadataLayout.SuperblockSlots; slot++)
        {
            long offset = areaOffset + MetadataLayout.SuperblockOffset(slot);
            if (device.TryRead(offset, block)
                && SuperblockCodec.TryDecode(block).Superblock is { } superblock)
            {
                return superblock;
            }
        }

        return null;
    }
}
