using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Control.Output;

/// <summary>A block device of mirrord in the kernel of this host, with one use of it.</summary>
/// <param name="Device">Its node.</param>
/// <param name="Volume">Resource and volume, as "mail/data".</param>
/// <param name="Use">As "mounted at /srv"; null: nobody uses it.</param>
internal sealed record DeviceLine(string Device, string Volume, string? Use)
{
    /// <summary>A line for each use, and one for a device that nobody uses.</summary>
    /// <param name="root">/, or a directory that stands for it.</param>
    public static IReadOnlyList<DeviceLine> Of(string root) =>
    [
        .. NbdDeviceList.Read(root).Where(device => DeviceBackend.IsOurs(device.Backend)).SelectMany(device =>
            UsesOf(device, root).Select(use =>
                new DeviceLine(device.DevicePath, DeviceBackend.VolumeOf(device.Backend), use))),
    ];

    public override string ToString() => $"{Device} {Volume} {Use ?? "-"}";

    private static IReadOnlyList<string?> UsesOf(NbdDevice device, string root)
    {
        try
        {
            IReadOnlyList<string?> uses = DeviceUsers.Of(device.DevicePath, root);
            return uses.Count > 0 ? uses : [null];
        }
        catch (IOException)
        {
            // It has gone meanwhile.
            return [];
        }
    }
}
