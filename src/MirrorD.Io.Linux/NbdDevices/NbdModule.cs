using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Whether the kernel has the nbd driver for this process, and why not.</summary>
internal static class NbdModule
{
    private const string ModuleDirectory = "sys/module/nbd";
    private const int CAP_SYS_ADMIN_BIT = 21;

    // By their full names: root does not run what a working directory happens to have.
    private static readonly string[] Loaders = ["/usr/sbin/modprobe", "/sbin/modprobe"];
    private static readonly TimeSpan LoadTime = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Loads the module if it is not there yet. No device is made beforehand (nbds_max=0): each is made when
    /// it is connected.
    /// </summary>
    /// <returns>Null, or why it could not be loaded.</returns>
    public static string? TryLoad() =>
        Directory.Exists($"/{ModuleDirectory}") ? null
        : !Environment.IsPrivilegedProcess ? "only root can load it"
        : Array.Find(Loaders, File.Exists) is { } modprobe ? Run(modprobe)
        : $"there is no {string.Join(" and no ", Loaders)}";

    /// <summary>Runs modprobe(8) or what stands for it; null, or what went wrong.</summary>
    internal static string? Run(string program)
    {
        var start = new ProcessStartInfo(program, ["nbd", "nbds_max=0"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        try
        {
            using Process modprobe = Process.Start(start)!;
            modprobe.OutputDataReceived += (_, _) => { };
            modprobe.BeginOutputReadLine();
            Task<string> errors = modprobe.StandardError.ReadToEndAsync();
            if (!modprobe.WaitForExit(LoadTime))
            {
                modprobe.Kill();
                return $"modprobe did not end within {LoadTime.TotalSeconds} s";
            }

            return modprobe.ExitCode == 0 ? null
                : $"modprobe ended with {modprobe.ExitCode}: {errors.Result.ReplaceLineEndings(" ").Trim()}";
        }
        catch (Win32Exception e)
        {
            return $"{program} could not be run: {e.Message}";
        }
    }

    /// <summary>Why the kernel does not know the driver's netlink family here.</summary>
    /// <param name="root">/, or a directory that stands for it.</param>
    /// <param name="loadFailure">What came of loading the module; null: nothing went wrong.</param>
    public static string CauseOfAbsence(string root, string? loadFailure)
    {
        if (!Directory.Exists(Path.Combine(root, ModuleDirectory)))
        {
            return "the kernel module nbd is not loaded"
                + (loadFailure is null ? "" : $" ({loadFailure})")
                + ": load it with 'modprobe nbd nbds_max=0' on the host, or install a kernel that has it";
        }

        return Namespace(root, "self") != Namespace(root, "1")
            ? "the driver can be reached from the host's network namespace only, and this process has another"
            : "the kernel module nbd is loaded but does not answer over netlink here: it needs Linux 4.12, " +
              "and before 6.12 it is reached from the host's network namespace only, not from a container";
    }

    /// <summary>Why the driver would refuse this process; null when it would not.</summary>
    public static string? CauseOfRefusal(string root)
    {
        const string prefix = "CapEff:";
        string? line = File.ReadLines(Path.Combine(root, "proc/self/status"))
            .FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal));
        return line?[prefix.Length..].Trim() is { } set
            && ulong.TryParse(set, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong held)
            && (held >> CAP_SYS_ADMIN_BIT & 1) == 0
            ? "the process lacks the capability CAP_SYS_ADMIN: run it as root or grant it"
            : null;
    }

    private static string? Namespace(string root, string process) =>
        SystemFile.TryReadLink(Path.Combine(root, "proc", process, "ns/net"));
}
