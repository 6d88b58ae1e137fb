using System.Security.Cryptography;
using System.Text;
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
    /// <param name="more">
    /// Packages of Debian that are installed with it; such a root file system is kept beside the usual one.
    /// </param>
    public static string Get(string package, IReadOnlyList<string> more)
    {
        string directory = MachineImage.Get().Directory;
        byte[] inputs = [.. File.ReadAllBytes(package), .. Encoding.ASCII.GetBytes(string.Join(' ', more))];
        string hash = Convert.ToHexStringLower(SHA256.HashData(inputs).AsSpan(0, 8));
        string kind = more.Count == 0 ? "installed" : "extended";
        string path = Path.Combine(directory, $"{kind}-{hash}.qcow2");
        if (File.Exists(path))
        {
            return path;
        }

        foreach (string old in Directory.EnumerateFiles(directory, $"{kind}-*"))
        {
            File.Delete(old);
        }

        string unfinished = $"{path}.{Environment.ProcessId}";
        using (var lab = new MachineLab())
        {
            string debs = Path.Combine(lab.Networks.Directory, "debs");
            Directory.CreateDirectory(debs);
            File.Copy(package, Path.Combine(debs, Path.GetFileName(package)));
            if (more.Count > 0)
            {
                DebianPackages.Fetch(more, debs);
            }

            File.Copy(lab.PrepareRoot(machine => Install(machine, debs)), unfinished);
        }

        // By its name alone: the directory may be moved.
        Tool.Run("qemu-img", "rebase", "-u", "-F", "raw", "-b", "root.img", unfinished).Require();
        File.Move(unfinished, path);
        return path;
    }

    private static void Install(Machine machine, string debs)
    {
        string archive = $"{debs}.tar";
        Tool.Run("sh", "-euc", $"cd '{debs}'; tar -cf '{archive}' *.deb").Require();
        machine.CopyIn(archive, "/root/debs.tar");
        machine.Shell(
            "mkdir /root/debs; cd /root/debs; tar -xf ../debs.tar; rm ../debs.tar; "
            + "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ./*.deb; rm -r /root/debs",
            InstallSeconds).Require();
        machine.Run("mkdir", "-p", MirroredPair.MountPoint).Require();
    }
}
