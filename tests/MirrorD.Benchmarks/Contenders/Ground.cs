using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Contenders;

/// <summary>Two hosts of a lab of their own, whose files lie in memory or on this machine's disk.</summary>
internal sealed class Ground : IDisposable
{
    /// <summary>Size of what is measured: more than the part that is read and written.</summary>
    public const long DiskBytes = 160L << 20;

    private readonly bool _isInMemory;
    private int _files;

    /// <summary>Makes the hosts.</summary>
    /// <param name="isInMemory">Files lie in memory.</param>
    public Ground(bool isInMemory)
    {
        _isInMemory = isInMemory;
        foreach (Host host in isInMemory ? (Host[])[Lab.A, Lab.B] : [])
        {
            Tool.Run("mount", "-t", "tmpfs", "tmpfs", host.Directory).Require();
            Lab.AtEnd(() => Tool.Run("umount", "--lazy", host.Directory));

            // Its files are on what lies below now.
            host.Boot();
        }
    }

    public Lab.Lab Lab { get; } = new();

    /// <summary>A new file on a host, all of it allocated.</summary>
    public string File(Host host)
    {
        string path = Path.Combine(host.Directory, $"disk-{++_files}");
        using FileStream file = System.IO.File.Create(path);
        byte[] zeroes = new byte[1 << 20];
        for (long at = 0; at < DiskBytes; at += zeroes.Length)
        {
            file.Write(zeroes);
        }

        file.Flush(flushToDisk: !_isInMemory);
        return path;
    }

    public void Dispose() => Lab.Dispose();
}
