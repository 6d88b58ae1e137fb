namespace MirrorD.Machines;

/// <summary>What machines need here.</summary>
public static class MachineRequirements
{
    /// <summary>QEMU's program for the machines.</summary>
    public const string Qemu = "qemu-system-x86_64";

    /// <summary>Why no machine can be started; null when one can.</summary>
    public static string? Missing()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "needs root: it makes network namespaces and tap devices";
        }

        foreach (string program in (string[])[Qemu, "qemu-img", "nbdkit", "mmdebstrap"])
        {
            if (!IsOnPath(program))
            {
                return $"{program} is not installed: run tests/setup";
            }
        }

        return File.Exists("/dev/net/tun") ? null : "/dev/net/tun is not there: machines have no network";
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(directory => directory.Length > 0 && File.Exists(Path.Combine(directory, program)));
}
