using System.Net.Sockets;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>
/// A disk whose write cache dies with its host, as an NBD export on a unix socket: a file behind nbdkit with
/// a cache in memory.
/// </summary>
public sealed class VolatileDiskServer
{
    private readonly Lab _lab;
    private readonly string _name;
    private readonly string _medium;
    private readonly int _evictPercent;
    private LabProcess? _process;
    private int _powerCycles;

    /// <summary>Makes the disk, powered on.</summary>
    /// <param name="lab">The lab that it goes with.</param>
    /// <param name="name">Unique in the lab.</param>
    /// <param name="lengthBytes">A multiple of 4096.</param>
    /// <param name="evictPercent">
    /// Chance that a written block reaches the medium without a flush, as drives do on their own; above 0,
    /// a third of the others are torn at a sector.
    /// </param>
    public VolatileDiskServer(Lab lab, string name, long lengthBytes, int evictPercent)
    {
        _lab = lab;
        _name = name;
        _evictPercent = evictPercent;
        _medium = BackingFile.Create(Path.Combine(_lab.Directory, $"{_name}.medium"), lengthBytes);
        Socket = Path.Combine(_lab.Directory, $"{_name}.socket");
        PowerOn();
    }

    /// <summary>Where it serves, with the default export name.</summary>
    public string Socket { get; }

    /// <summary>How often it came back after a power cut.</summary>
    public int PowerCycles => _powerCycles;

    /// <summary>True from power-on to power cut.</summary>
    public bool IsOn => _process is { IsRunning: true };

    /// <summary>Loses what was not flushed.</summary>
    public void CutPower() => _process!.Kill();

    /// <summary>
    /// Serves again what was on the medium; each time with other choices of what it writes back.
    /// </summary>
    public void Restore()
    {
        _powerCycles++;
        PowerOn();
    }

    private void PowerOn()
    {
        File.Delete(Socket);
        _process = _lab.Start(
            $"disk-{_name}-{_powerCycles}", "nbdkit", "--foreground", "--unix", Socket, "--threads", "1",
            VolatileDiskPlugin.Path(_lab), $"file={_medium}", $"evict={_evictPercent}",
            $"seed={_powerCycles + 1}");
        LabProcess started = _process;
        Wait.For($"disk {_name} to come up", 10, () => IsUp(started));
    }

    // The socket's name is there before somebody listens.
    private bool IsUp(LabProcess started)
    {
        if (!started.IsRunning)
        {
            throw new InvalidOperationException($"the disk did not come up\n{started.Tail()}");
        }

        using var tried = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            tried.Connect(new UnixDomainSocketEndPoint(Socket));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
