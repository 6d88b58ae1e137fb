using System.Globalization;
using MirrorD.Lab.Networks;
using MirrorD.Machines;

namespace MirrorD.Benchmarks.Machines;

/// <summary>Reads the counters of one contender. No program is started for it in a machine but one that looks for processes.</summary>
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

    /// <summary>Reads all.</summary>
    /// <param name="isBegin">What reading itself costs is outside of the time that begins or ends.</param>
    public MachineCounts Read(bool isBegin)
    {
        Sides processor = isBegin ? default : Processor();
        long writes = Writes;
        Counted a = Count(_lab.A, _a);
        Counted b = Count(_lab.B, _b);
        return new MachineCounts(
            isBegin ? Writes : writes, new(Number(a.Disk[4]), Number(b.Disk[4])),
            new(Number(a.Disk[6]) * 512, Number(b.Disk[6]) * 512), new(Number(a.Disk[15]), Number(b.Disk[15])),
            Number(a.Link[0]) + Number(a.Link[8]), Number(a.Link[1]) + Number(a.Link[9]), new(a.Switches, b.Switches),
            new(a.DaemonMs, b.DaemonMs), isBegin ? Processor() : processor);
    }

    // Documentation/block/stat.rst: the 5th word is writes, the 7th sectors, the 16th flushes.
    private static string Statistics(Machine machine, string device) =>
        $"/sys/class/block/{Path.GetFileName(machine.Run("readlink", "-f", device).Require().Output.Trim())}/stat";

    private static Sources Look(Machine machine, MachineContender contender)
    {
        string[] processes = contender.Program is null ? [] : Words(machine.Run("pidof", contender.Program).Output);
        string[] threads = processes.Length == 0
            ? []
            : Words(machine.Run("sh", "-euc", $"ls -d {string.Join(' ', processes.Select(id => $"/proc/{id}/task/*"))}").Output);
        return new(Statistics(machine, machine.DiskPath(contender.DiskName)), [.. threads.Select(path => $"{path}/schedstat")]);
    }

    private static Counted Count(Machine machine, Sources sources)
    {
        string link = machine.ReadFile("/proc/net/dev").Split('\n')
            .Single(line => line.TrimStart().StartsWith($"{Host.DedicatedInterface}:", StringComparison.Ordinal));
        string switches = machine.ReadFile("/proc/stat").Split('\n').Single(line => line.StartsWith("ctxt ", StringComparison.Ordinal));

        // Documentation/scheduler/sched-stats.rst: first the time on a processor, in nanoseconds.
        string[] threads = sources.Threads.Length == 0 ? [] : machine.Run("cat", sources.Threads).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new(
            Words(machine.ReadFile(sources.Disk)), Words(link.Split(':')[1]), Number(Words(switches)[1]),
            threads.Sum(line => Number(Words(line)[0])) / 1e6);
    }

    private Sides Processor()
    {
        // proc(5): after the name in parentheses the 12th word is time in user mode, the 13th in the kernel.
        double Of(Machine machine)
        {
            string[] words = Words(File.ReadAllText($"/proc/{machine.Qemu.Id}/stat").Split(')')[^1]);
            return (Number(words[11]) + Number(words[12])) * MillisecondsOfTick;
        }

        return new Sides(Of(_lab.A), Of(_lab.B));
    }

    private static string[] Words(string text) =>
        text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static long Number(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private sealed record Sources(string Disk, string[] Threads);

    private sealed record Counted(string[] Disk, string[] Link, long Switches, double DaemonMs);
}
