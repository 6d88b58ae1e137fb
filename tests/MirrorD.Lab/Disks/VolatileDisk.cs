using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>
/// A block device whose write cache dies with its host: a file behind nbdkit with a cache in memory, nbdfuse and
/// a loop device. A file alone loses nothing at kill -9, because the machine's page cache lives on.
/// </summary>
public sealed class VolatileDisk
{
    private readonly Lab lab;
    private readonly string name;
    private readonly string file;
    private readonly string socket;
    private readonly int evictPercent;
    private LabProcess? server;
    private NbdBlockDevice? device;
    private int powerCycles;

    /// <summary>Makes the disk, powered on.</summary>
    /// <param name="lab">The lab that it goes with.</param>
    /// <param name="name">Unique in the lab.</param>
    /// <param name="lengthBytes">A multiple of 4096.</param>
    /// <param name="evictPercent">
    /// Chance that a written block reaches the medium without a flush, as drives do on their own; above 0, a third
    /// of the others are torn at a sector.
    /// </param>
    public VolatileDisk(Lab lab, string name, long lengthBytes, int evictPercent)
    {
        this.lab = lab;
        this.name = name;
        this.evictPercent = evictPercent;
        file = BackingFile.Create(Path.Combine(lab.Directory, $"{name}.medium"), lengthBytes);
        socket = Path.Combine(lab.Directory, $"{name}.socket");
        PowerOn();
    }

    /// <summary>The block device; another one after each power-on.</summary>
    public string DevicePath => device?.Path ?? throw new InvalidOperationException($"{name} has no power");

    /// <summary>
    /// Loses what was not flushed. The host's daemon must not see the disk go, as on a real power cut: stop it
    /// before with SIGSTOP, and kill it after.
    /// </summary>
    public void CutPower() => server!.Kill();

    /// <summary>Takes the dead device away, once nobody has it open any more, and brings the disk back.</summary>
    public void Restore()
    {
        device!.Detach();
        device = null;
        powerCycles++;
        PowerOn();
    }

    private void PowerOn()
    {
        File.Delete(socket);
        server = lab.Start(
            $"disk-{name}-{powerCycles}", "nbdkit", "--foreground", "--unix", socket, "--threads", "1",
            VolatileDiskPlugin.Path(lab), $"file={file}", $"evict={evictPercent}", $"seed={powerCycles + 1}");
        Wait.For($"disk {name} to come up", 10, () => IsUp(server));
        device = NbdBlockDevice.Attach(lab, $"{name}-{powerCycles}", socket);
    }

    private bool IsUp(LabProcess started) =>
        started.IsRunning
            ? File.Exists(socket)
            : throw new InvalidOperationException($"the disk did not come up\n{started.Tail()}");
}
