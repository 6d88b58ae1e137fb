namespace MirrorD.Machines.Devices;

/// <summary>
/// A disk whose write cache is lost when the machine's power is cut
/// (<see cref="MirrorD.Lab.Disks.VolatileDiskServer"/>). In the machine it is /dev/disk/by-id/virtio-NAME.
/// </summary>
/// <param name="Name">Unique in the machine; at most 20 letters and digits.</param>
/// <param name="LengthBytes">A multiple of 4096.</param>
/// <param name="EvictPercent">
/// Chance that a written block reaches the medium without a flush; above 0, a third of the others are torn.
/// </param>
public sealed record MachineDisk(string Name, long LengthBytes, int EvictPercent = 0)
{
    /// <summary>Its path in the machine.</summary>
    public string Path => $"/dev/disk/by-id/virtio-{Name}";
}
