using System.Security.Cryptography;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Images;

namespace MirrorD.Machines.Product;

/// <summary>
/// The root file system of a machine on which apt has installed the package. It is made once for each package and image,
/// beside the image, and both machines of a pair begin with it: an emulated machine takes minutes for the installation.
/// </summary>
internal static class InstalledRoot
{
    private const double InstallSeconds = 600;

    /// <summary>For <see cref="MachineOptions.RootFile"/>.</summary>
    /// <param name="package">The .deb.</param>
    public static string Get(string package)
    {
        string directory = MachineImage.Get().Directory;
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(package)).AsSpan(0, 8));
        string path = Path.Combine(directory, $"installed-{hash}.qcow2");
        if (File.Exists(path))
        {
            return path;
        }

        foreach (string old in Directory.EnumerateFiles(directory, "installed-*"))
        {
            File.Delete(old);
        }

        string unfinished = $"{path}.{Environment.ProcessId}";
        using (var lab = new MachineLab())
        {
            File.Copy(lab.PrepareRoot(machine => Install(machine, package)), unfinished);
        }

        // By its name alone: the directory may be moved.
        Tool.Run("qemu-img", "rebase", "-u", "-F", "raw", "-b", "root.img", unfinished).Require();
        File.Move(unfinished, path);
        return path;
    }

    private static void Install(Machine machine, string package)
    {
        string inside = $"/root/{Path.GetFileName(package)}";
        machine.CopyIn(package, inside);
        machine.RunWithin(InstallSeconds, "apt-get", "install", "-y", "--no-install-recommends", inside).Require();
        machine.Run("rm", inside).Require();
        machine.Run("mkdir", "-p", MirroredPair.MountPoint).Require();
    }
}
