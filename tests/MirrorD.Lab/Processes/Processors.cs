using System.Globalization;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Processes;

/// <summary>
/// The processors of this machine in two halves, as if what runs on one were other machines than what runs on the other one.
/// With one processor there is one half.
/// </summary>
public static class Processors
{
    private static readonly int[] s_all = Allowed();

    /// <summary>There are two halves.</summary>
    public static bool AreTwo => s_all.Length > 1;

    /// <summary>Half of them, as taskset writes them.</summary>
    public static string First { get; } = string.Join(',', s_all[..Half]);

    /// <summary>The others.</summary>
    public static string Second { get; } = string.Join(',', s_all[^Half..]);

    private static int Half => int.Max(1, s_all.Length / 2);

    /// <summary>A process runs on these from now on, and what it starts.</summary>
    public static void Bind(int process, string processors)
    {
        // It fails when a thread ends that it has seen; those that are bound then stay so.
        ToolResult? bound = null;
        Wait.For($"process {process} to run on {processors}", 10, () => (bound = Tool.Run(
            "taskset", "--all-tasks", "--cpu-list", "--pid", processors,
            process.ToString(CultureInfo.InvariantCulture))).Succeeded, () => bound!.Text);
    }

    /// <summary>
    /// What comes to a host is taken in by the first half, whoever has sent it (RPS; the kernel's networking/scaling.rst). Else
    /// the processor of the sender does it.
    /// </summary>
    public static void ReceiveOnFirst(Host host) => host.Run(
        "unshare", "--mount", "--propagation", "unchanged", "sh", "-ec",
        "mount --make-rprivate /sys; mount -t sysfs sysfs /sys; "
        + "for queue in /sys/class/net/*/queues/rx-*/rps_cpus; do echo \"$1\" >$queue; done",
        "sh",
        s_all[..Half].Aggregate(0UL, (mask, one) => mask | (1UL << one)).ToString("x", CultureInfo.InvariantCulture)).Require();

    // Those that this process may use (proc(5), Cpus_allowed_list: "0-3,8").
    private static int[] Allowed()
    {
        const string Field = "Cpus_allowed_list:";
        string list = File.ReadLines("/proc/self/status").Single(line => line.StartsWith(Field, StringComparison.Ordinal));
        return
        [
            .. list[Field.Length..].Trim().Split(',').Select(range => range.Split('-')).SelectMany(range =>
            {
                int first = int.Parse(range[0], CultureInfo.InvariantCulture);
                return Enumerable.Range(first, int.Parse(range[^1], CultureInfo.InvariantCulture) - first + 1);
            }),
        ];
    }
}
