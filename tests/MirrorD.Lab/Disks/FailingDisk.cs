using System.Net.Sockets;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>
/// A block device that fails or hangs when told to: a file behind nbdkit with its error filter, nbdfuse and a loop device.
/// </summary>
public sealed class FailingDisk
{
    private readonly LabProcess _server;
    private readonly NbdBlockDevice _device;
    private readonly string _trigger;

    /// <summary>Makes the disk, in order.</summary>
    /// <param name="lab">The lab that it goes with.</param>
    /// <param name="name">Unique in the lab.</param>
    /// <param name="lengthBytes">A multiple of 4096.</param>
    /// <param name="error">Name of the error that failing writes get: EIO or ENOSPC.</param>
    /// <param name="writesTakeMs">Milliseconds that each write waits before it is carried out.</param>
    public FailingDisk(Lab lab, string name, long lengthBytes, string error, int writesTakeMs = 0)
    {
        string medium = BackingFile.Create(Path.Combine(lab.Directory, $"{name}.medium"), lengthBytes);
        string socket = Path.Combine(lab.Directory, $"{name}.socket");
        _trigger = Path.Combine(lab.Directory, $"{name}.fails");
        _server = lab.Start(
            $"disk-{name}", "nbdkit", "--foreground", "--unix", socket, "--filter=error",
            "--filter=delay", "file", medium, $"wdelay={writesTakeMs}ms",
            $"error={error}", $"error-pwrite-rate=100%", $"error-pwrite-file={_trigger}",
            "error-zero-rate=100%", $"error-zero-file={_trigger}", "error-trim-rate=100%", $"error-trim-file={_trigger}");
        Wait.For($"disk {name} to come up", 10, () => IsUp(socket), () => _server.Tail());
        _device = NbdBlockDevice.Attach(lab, name, socket);
    }

    /// <summary>The block device.</summary>
    public string DevicePath => _device.Path;

    /// <summary>From now on everything that would change it fails.</summary>
    public void Fail() => File.WriteAllText(_trigger, "");

    /// <summary>It works again.</summary>
    public void Mend() => File.Delete(_trigger);

    /// <summary>From now on it answers nothing.</summary>
    public void Hang() => _server.Send(Signals.Stop);

    /// <summary>It carries out what it was asked meanwhile.</summary>
    public void GoOn() => _server.Send(Signals.Continue);

    // The socket's name is there before somebody listens.
    private static bool IsUp(string path)
    {
        using var tried = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            tried.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
