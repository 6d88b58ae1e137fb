using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>A block device over a file.</summary>
public sealed class LoopDevice
{
    private LoopDevice(string path) => Path = path;

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

        var device = new LoopDevice(path);
        lab.AtEnd(device.Detach);
        return device;
    }

    /// <summary>Detaches it and waits until it is really gone.</summary>
    public void Detach()
    {
        string backing = $"/sys/block/{System.IO.Path.GetFileName(Path)}/loop/backing_file";
        if (!File.Exists(backing))
        {
            return;
        }

        Tool.Run("losetup", "--detach", Path);
        Wait.For($"{Path} to be detached", 10, () => !File.Exists(backing));
    }
}
