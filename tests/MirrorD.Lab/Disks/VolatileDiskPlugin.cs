using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>
/// The nbdkit plugin of <see cref="VolatileDisk"/>, compiled once per lab (a fraction of a second).
/// </summary>
public static class VolatileDiskPlugin
{
    /// <summary>The compiled plugin.</summary>
    public static string Path(Lab lab)
    {
        string plugin = System.IO.Path.Combine(lab.Directory, "volatile-disk.so");
        if (!File.Exists(plugin))
        {
            string source = System.IO.Path.Combine(AppContext.BaseDirectory, "Disks", "volatile-disk.c");
            Tool.Run(
                "gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC",
                "-o", plugin, source).Require();
        }

        return plugin;
    }
}
