using System.Globalization;
using MirrorD.Lab.Networks;
using MirrorD.Machines;

namespace MirrorD.Benchmarks.Machines;

/// <summary>
/// Reads the counters of one contender. A program that starts in a machine takes a part of a second, so there is one for each.
/// </summary>
internal sealed class MachineCounters
{
    // USER_HZ: /proc tells times in hundredths of a second.
    private const double MillisecondsOfTick = 10;
    private readonly MachineLab _lab;
    private readonly string _device;
    private readonly Sources _a;
    private readonly Sources _b;

    /// <summary>Looks where they are.</summary>
    public MachineCounters(MachineLab lab, MachineContender contender)
    {
        _lab = lab;
        _device = Statistics(lab.A, contender.DevicePath);
        _a = Look(lab.A, contender);
        _b = Look(lab.B, contender);
    }

    /// <summary>Writes that the device completed.</summary>
    public long Writes => Number(Words(_lab.A.ReadFile(_device))[4]);

    /// <summary>
    /// Reads all. What is read in the machines takes them some time, which is not part of the processor's.
    /// </summary>
    /// <param name="isBegin">The time that is counted begins; else it ends.</param>
    public MachineCounts Read(bool isBegin)
    {
        (long Writes, Sides Time) early = isBegin ? default : Processor();
        Counted a = Count(_lab.A, _a, _device);
        Counted b = Count(_lab.B, _b, _b.Disk);
        (long Writes, Sides Time) processor = isBegin ? Processor() : early;
        return new MachineCounts(
            Number(a.Device[4]), new(Number(a.Disk[4]), Number(b.Disk[4])),
            new(Number(a.Disk[6]) * 512, Number(b.Disk[6]) * 512), new(Number(a.Disk[15]), Number(b.Disk[15])),
            Number(a.Link[0]) + Number(a.Link[8]), Number(a.Link[1]) + Number(a.Link[9]), new(a.Switches, b.Switches),
            new(a.DaemonMs, b.DaemonMs), processor.Writes, processor.Time);
    }

    // Documentation/block/stat.rst: the 5th word is writes, the 7th sectors, the 16th flushes.
    private static string Statistics(Machine machine, string device) =>
        $"/sys/class/block/{Path.GetFileName(machine.Run("readlink", "-f", device).Require().Output.Trim())}/stat";

    private static Sources Look(Machine machine, MachineContender contender)
    {
        string[] processes = contender.Program is null ? [] : Words(machine.Run("pidof", contender.Program).Output);
        string[] threads = processes.Length == 0
            ? []
            : Words(machine.Shell($"ls -d {string.Join(' ', processes.Select(id => $"/proc/{id}/task/*"))}").Output);
        return new(
            Statistics(machine, machine.DiskPath(contender.DiskName)), [.. threads.Select(path => $"{path}/schedstat")]);
    }

    // By one program, so that all is of one moment.
    private static Counted Count(Machine machine, Sources sources, string device)
    {
        string[] lines = machine.Run("cat", [device, sources.Disk, "/proc/net/dev", "/proc/stat", .. sources.Threads]).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string After(string start) => lines.First(line => line.TrimStart().StartsWith(start, StringComparison.Ordinal))
            .TrimStart()[start.Length..];

        // Documentation/scheduler/sched-stats.rst: first the time on a processor, in nanoseconds; after /proc/stat's last line.
        IEnumerable<string> threads = lines.SkipWhile(line => !line.StartsWith("softirq ", StringComparison.Ordinal)).Skip(1);
        return new(
            Words(lines[0]), Words(lines[1]), Words(After($"{Host.DedicatedInterface}:")), Number(After("ctxt ")),
            threads.Sum(line => Number(Words(line)[0])) / 1e6);
    }

    private (long Writes, Sides Time) Processor()
    {
        // proc(5): after the name in parentheses the 12th word is time in user mode, the 13th in the kernel.
        double Of(Machine machine)
        {
            string[] words = Words(File.ReadAllText($"/proc/{machine.Qemu.Id}/stat").Split(')')[^1]);
            return (Number(words[11]) + Number(words[12])) * MillisecondsOfTick;
        }

        return (Writes, new Sides(Of(_lab.A), Of(_lab.B)));
    }

    private static string[] Words(string text) =>
        text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private sealed record Sources(string Disk, string[] Threads);

    private sealed record Counted(string[] Device, string[] Disk, string[] Link, long Switches, double DaemonMs);
}
