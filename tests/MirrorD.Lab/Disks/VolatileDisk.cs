using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>
/// A block device whose write cache dies with its host: a file behind nbdkit with a cache in memory,
/// nbdfuse and a loop device. A file alone loses nothing at kill -9, because the machine's page cache lives
/// on.
/// </summary>
public sealed class VolatileDisk
{
    private readonly Lab _lab;
    private readonly string _name;
    private readonly string _file;
    private readonly string _socket;
    private readonly int _evictPercent;
    private LabProcess? _server;
    private NbdBlockDevice? _device;
    private int _powerCycles;

    /// <summary>Makes the disk, powered on.</summary>
    /// <param name="lab">The lab that it goes with.</param>
    /// <param name="name">Unique in the lab.</param>
    /// <param name="lengthBytes">A multiple of 4096.</param>
    /// <param name="evictPercent">
    /// Chance that a written block reaches the medium without a flush, as drives do on their own; above 0,
    /// a third of the others are torn at a sector.
    /// </param>
    public VolatileDisk(Lab lab, string name, long lengthBytes, int evictPercent)
    {
        _lab = lab;
        _name = name;
        _evictPercent = evictPercent;
        _file = BackingFile.Create(Path.Combine(_lab.Directory, $"{_name}.medium"), lengthBytes);
        _socket = Path.Combine(_lab.Directory, $"{_name}.socket");
        PowerOn();
    }

    /// <summary>The block device; another one after each power-on.</summary>
    public string DevicePath => _device?.Path ?? throw new InvalidOperationException($"{_name} has no power");

    /// <summary>
    /// Loses what was not flushed. The host's daemon must not see the disk go, as on a real power cut: stop
    /// it before with SIGSTOP, and kill it after.
    /// </summary>
    public void CutPower() => _server!.Kill();

    /// <summary>
    /// Takes the dead device away, once nobody has it open any more, and brings the disk back.
    /// </summary>
    public void Restore()
    {
        _device!.Detach();
        _device = null;
        _powerCycles++;
        PowerOn();
    }

    private void PowerOn()
    {
        File.Delete(_socket);
        _server = _lab.Start(
            $"disk-{_name}-{_powerCycles}", "nbdkit", "--foreground", "--unix", _socket, "--threads", "1",
            VolatileDiskPlugin.Path(_lab), $"file={_file}", $"evict={_evictPercent}",
            $"seed={_powerCycles + 1}");
        Wait.For($"disk {_name} to come up", 10, () => IsUp(_server));
        _device = NbdBlockDevice.Attach(_lab, $"{_name}-{_powerCycles}", _socket);
    }

    private bool IsUp(LabProcess started) =>
        started.IsRunning
            ? File.Exists(_socket)
            : throw new InvalidOperationException($"the disk did not come up\n{started.Tail()}");
}
