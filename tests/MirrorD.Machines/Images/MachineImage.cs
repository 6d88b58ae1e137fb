using MirrorD.Lab.Processes;

namespace MirrorD.Machines.Images;

/// <summary>What all machines boot; built by tests/machine-image when it is not there.</summary>
public sealed class MachineImage
{
    private static readonly TimeSpan BuildDeadline = TimeSpan.FromMinutes(15);
    private static readonly Lazy<MachineImage> Current = new(Build);

    private MachineImage(string directory) => Directory = directory;

    /// <summary>Where its files are.</summary>
    public string Directory { get; }

    /// <summary>The stock kernel of Debian.</summary>
    public string Kernel => Path.Combine(Directory, "vmlinuz");

    /// <summary>Mounts the root file system from the disk with the serial number "root".</summary>
    public string InitialRoot => Path.Combine(Directory, "initrd.img");

    /// <summary>An ext4 file system; each machine writes to an overlay of its own.</summary>
    public string Root => Path.Combine(Directory, "root.img");

    /// <summary>The image for this state of the repository.</summary>
    public static MachineImage Get() => Current.Value;

    /// <summary>A file of the repository.</summary>
    /// <param name="path">Below its root.</param>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    public static string InRepository(string path)
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            string candidate = Path.Combine(at, path);
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new FileNotFoundException($"{path} is not there");
    }

    private static MachineImage Build()
    {
        ToolResult built = Tool.RunWithin(BuildDeadline, InRepository("tests/machine-image")).Require();
        return new MachineImage(built.Output.Trim());
    }
}
