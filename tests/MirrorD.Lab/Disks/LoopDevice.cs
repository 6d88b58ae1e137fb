using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>A block device over a file.</summary>
public sealed class LoopDevice
{
    private readonly string _file;

    private LoopDevice(string path, string file)
    {
        Path = path;
        _file = file;
    }

    /// <summary>The device, e.g. /dev/loop3.</summary>
    public string Path { get; }

    /// <summary>Attaches a free loop device past the page cache; it goes with the lab.</summary>
    public static LoopDevice Attach(Lab lab, string file)
    {
        string path = Tool.Run("losetup", "--find", "--show", "--direct-io=on", file).Require().Output.Trim();
        string flag = $"/sys/block/{System.IO.Path.GetFileName(path)}/loop/dio";
        if (File.ReadAllText(flag).Trim() != "1")
        {
            Tool.Run("losetup", "--detach", path);
            throw new InvalidOperationException($"{path} over {file} goes through the page cache");
        }

        var device = new LoopDevice(path, file);
        lab.AtEnd(device.Detach);
        return device;
    }

    /// <summary>Detaches it and waits until it is really gone.</summary>
    public void Detach()
    {
        if (!IsAttached())
        {
            return;
        }

        Tool.Run("losetup", "--detach", Path);
        Wait.For($"{Path} to be detached", 30, () => !IsAttached(), Holders);
    }

    private string Holders()
    {
        string who = Tool.Run("sh", "-c", $"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -B20 '{Path}$' | tail -n 30").Output;
        return $"open in:\n{who}\nmounted:\n{Tool.Run("grep", $"{Path} ", "/proc/mounts").Output}";
    }

    // Its number may be another one's already.
    private bool IsAttached()
    {
        try
        {
            string device = System.IO.Path.GetFileName(Path);
            string backing = File.ReadAllText($"/sys/block/{device}/loop/backing_file");
            return backing.TrimEnd() == _file;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
