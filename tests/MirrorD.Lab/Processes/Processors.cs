using System.Globalization;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Processes;

/// <summary>
/// The processors of this machine in two halves, as if what runs on one were other machines than what runs on the other one.
/// With one processor there is one half.
/// </summary>
public static class Processors
{
    /// <summary>Half of them, as taskset writes them.</summary>
    public static string First { get; } = $"0-{Half - 1}";

    /// <summary>The others.</summary>
    public static string Second { get; } = $"{Environment.ProcessorCount - Half}-{Environment.ProcessorCount - 1}";

    private static int Half => int.Max(1, Environment.ProcessorCount / 2);

    /// <summary>A process runs on these from now on, and what it starts.</summary>
    public static void Bind(int process, string processors) => Tool.Run(
        "taskset", "--all-tasks", "--cpu-list", "--pid", processors, process.ToString(CultureInfo.InvariantCulture)).Require();

    /// <summary>
    /// What comes to a host is taken in by the first half, whoever has sent it (RPS; the kernel's networking/scaling.rst). Else
    /// the processor of the sender does it.
    /// </summary>
    public static void ReceiveOnFirst(Host host) => host.Run(
        "unshare", "--mount", "--propagation", "unchanged", "sh", "-ec",
        "mount --make-rprivate /sys; mount -t sysfs sysfs /sys; "
        + "for queue in /sys/class/net/*/queues/rx-*/rps_cpus; do echo \"$1\" >$queue; done",
        "sh", ((1UL << Half) - 1).ToString("x", CultureInfo.InvariantCulture)).Require();
}
