namespace MirrorD.Lab.Disks;

/// <summary>
/// A block device whose write cache dies with its host: <see cref="VolatileDiskServer"/>, nbdfuse and a loop
/// device. A file alone loses nothing at kill -9, because the machine's page cache lives on.
/// </summary>
public sealed class VolatileDisk
{
    private readonly Lab _lab;
    private readonly string _name;
    private readonly VolatileDiskServer _server;
    private NbdBlockDevice? _device;

    /// <summary>Makes the disk, powered on.</summary>
    /// <param name="lab">The lab that it goes with.</param>
    /// <param name="name">Unique in the lab.</param>
    /// <param name="lengthBytes">A multiple of 4096.</param>
    /// <param name="evictPercent">As in <see cref="VolatileDiskServer"/>.</param>
    public VolatileDisk(Lab lab, string name, long lengthBytes, int evictPercent)
    {
        _lab = lab;
        _name = name;
        _server = new VolatileDiskServer(lab, name, lengthBytes, evictPercent);
        Attach();
    }

    /// <summary>The block device; another one after each power-on.</summary>
    public string DevicePath => _device?.Path ?? throw new InvalidOperationException($"{_name} has no power");

    /// <summary>
    /// Loses what was not flushed. The host's daemon must not see the disk go, as on a real power cut: stop
    /// it before with SIGSTOP, and kill it after.
    /// </summary>
    public void CutPower() => _server.CutPower();

    /// <summary>
    /// Takes the dead device away, once nobody has it open any more, and brings the disk back.
    /// </summary>
    public void Restore()
    {
        _device!.Detach();
        _device = null;
        _server.Restore();
        Attach();
    }

    private void Attach() =>
        _device = NbdBlockDevice.Attach(_lab, $"{_name}-{_server.PowerCycles}", _server.Socket);
}
