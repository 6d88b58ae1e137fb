using System.Diagnostics;
using System.Globalization;
using MirrorD.Lab;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Product;
using Xunit.Abstractions;

namespace MirrorD.Machines.Tests;

/// <summary>
/// The Primary has no memory to spare: a hog takes it, a writer dirties the page cache faster than it is written back, and
/// the daemon may have little more than it has at rest. What is written back goes through that daemon, so that a daemon
/// which needs memory to give memory back would end in a standstill.
/// </summary>
public sealed class MemoryPressureTests(ITestOutputHelper output)
{
    private const int MemoryMebibytes = 1024;
    private const int ChunkMebibytes = 4;
    private const long SlotBytes = (256 + 48) * (128 + 4) * 1024L;
    private const double LongestGapSeconds = 30;
    private const double StallSeconds = 60;
    private const double SecondsToStall = 20;
    private const double SecondsBetweenStalls = 240;
    private const string Dirtied = "/run/dirtied";
    private const string Synced = "/run/synced";

    /// <summary>MINUTES of it (2). With 10 and more, three times the memory is dirtied, however long that takes.</summary>
    private static double Minutes => double.Parse(
        Environment.GetEnvironmentVariable("MINUTES") ?? "2", CultureInfo.InvariantCulture);

    [MachineFact]
    public void Writes_get_on_without_memory_and_without_the_standby()
    {
        // The Primary goes on alone well before the writers have to have got on.
        using var pair = new MirroredPair(new PairChoices
        {
            MemoryMebibytes = MemoryMebibytes,
            DiskBytes = 3500L << 20,
            EvictPercent = 0,
            DeadAfterSeconds = 10,
        });
        (Machine a, Machine b) = (pair.Lab.A, pair.Lab.B);
        pair.MakeFileSystem(a, "-N", "20000");
        long limit = Limit(a);
        Limit(b);
        string daemon = MainProcess(a);
        long reclaims = DirectReclaims(a);

        double begin = Uptime(a);
        GuestProcess[] writers = [StartDirtier(a), StartSyncer(a)];
        GuestProcess hog = StartHog(a);
        GuestProcess[] all = [.. writers, hog];
        var clock = Stopwatch.StartNew();
        for (double stallAt = SecondsToStall; stallAt < 60 * Minutes; stallAt += SecondsBetweenStalls)
        {
            WatchUntil(clock, stallAt, all);
            b.Pause();
            WatchUntil(clock, stallAt + StallSeconds, all);
            b.Resume();
            // Asked on the standby: the Primary has no memory for another program.
            pair.WaitForStatus(b, "link", "Joined");
        }

        WatchUntil(clock, 60 * Minutes, all);
        long wanted = Minutes < 10 ? 0 : 3 * MemoryMebibytes;
        Wait.For($"{wanted} MiB to be dirtied", 3600, () => Read(a, Dirtied)[^1].Count >= wanted, pair.Describe);
        double end = Uptime(a);

        a.Shell("touch /run/stop").Require();
        foreach (GuestProcess writer in writers)
        {
            writer.WaitForExit(240).Require();
        }

        a.Run("pkill", "-KILL", "stress-ng");
        hog.WaitForExit(240);
        string kernel = a.RunWithin(240, "journalctl", "-k", "-b", "--no-pager").Require().Output;
        string events = a.ReadFile($"{MemoryGroup}/memory.events").ReplaceLineEndings(" ");
        output.WriteLine(
            $"limit {limit >> 20} MiB, peak {long.Parse(a.ReadFile($"{MemoryGroup}/memory.peak"), CultureInfo.InvariantCulture) >> 20} MiB, {events}");
        output.WriteLine(
            $"{end - begin:0} s: {Read(a, Dirtied)[^1].Count} MiB dirtied, longest gap {LongestGap(a, Dirtied, begin, end)}; " +
            $"{Read(a, Synced)[^1].Count} files synced, longest gap {LongestGap(a, Synced, begin, end)}; " +
            $"{DirectReclaims(a) - reclaims} direct reclaims; {Count(kernel, "Out of memory: Killed")} killed for memory");

        foreach (string complaint in (string[])["blocked for more than", "I/O error", "EXT4-fs error", "(mirrord)"])
        {
            Assert.DoesNotContain(
                kernel.Split('\n'), line => line.Contains(complaint, StringComparison.Ordinal));
        }

        Assert.True(DirectReclaims(a) > reclaims, "nobody had to wait for memory: there was no pressure");
        Assert.True(daemon == MainProcess(a), pair.Describe());
        Assert.InRange(LongestGap(a, Dirtied, begin, end), 0, LongestGapSeconds);
        Assert.InRange(LongestGap(a, Synced, begin, end), 0, LongestGapSeconds);

        // What fsync had returned for is on the other copy as well.
        string sums = a.ReadFile("/run/sums");
        pair.Unmount(a);
        pair.WaitJoined();
        pair.Control(a, "switchover", MirroredPair.Resource).Require();
        pair.WaitForDevice(b);
        ToolResult check = b.RunWithin(600, "e2fsck", "-f", "-n", MirroredPair.DevicePath);
        Assert.True(check.ExitCode == 0, $"e2fsck says {check.ExitCode}:\n{check.Output}{check.Error}");
        pair.Mount(b);
        b.WriteFile("/root/sums", sums);
        ToolResult compared = b.Shell($"cd {MirroredPair.MountPoint} && sha256sum --quiet -c /root/sums", 600);
        Assert.True(compared.Succeeded, $"{compared.Output}{compared.Error}");
    }

    private const string MemoryGroup = "/sys/fs/cgroup/mirrord.slice/mirrord.service";

    /// <summary>The unit may have 1.2 times what it has at rest, and all the slots that its one resource may make.</summary>
    private static long Limit(Machine machine)
    {
        long atRest = long.Parse(machine.ReadFile($"{MemoryGroup}/memory.current"), CultureInfo.InvariantCulture);
        long limit = (atRest / 10 * 12) + SlotBytes;
        machine.Run("systemctl", "set-property", "--runtime", "mirrord.service", $"MemoryMax={limit}").Require();
        return limit;
    }

    private static string MainProcess(Machine machine) =>
        machine.Run("systemctl", "show", "--property=MainPID,NRestarts", "mirrord").Require().Output;

    // The writers count for themselves what they have completed, with the time of their machine's clock.
    private static GuestProcess StartDirtier(Machine machine) => StartWriter(
        machine, "dirtier",
        $"dd if=/dev/zero of=big bs=1M count={ChunkMebibytes} seek=$((i % 768 * {ChunkMebibytes})) conv=notrunc status=none",
        $"$((i * {ChunkMebibytes})) >> {Dirtied}");

    private static GuestProcess StartSyncer(Machine machine) => StartWriter(
        machine, "syncer",
        "dd if=/dev/urandom of=small-$i bs=16k count=1 conv=fsync status=none; sync .; sha256sum small-$i >> /run/sums",
        $"$i >> {Synced}");

    private static GuestProcess StartWriter(Machine machine, string name, string step, string note)
    {
        machine.WriteFile($"/root/{name}", string.Join('\n',
            "set -eu", "choom -n -900 -p $$", $"cd {MirroredPair.MountPoint}", "i=0",
            "while ! [ -e /run/stop ]; do", "i=$((i+1))", step, "read now rest < /proc/uptime", $"echo $now {note}", "done", ""));
        GuestProcess writer = machine.Start("sh", $"/root/{name}");
        return writer;
    }

    /// <summary>
    /// Takes more than there is, and begins anew when it had it or was killed: it is the first that the kernel kills.
    /// </summary>
    private static GuestProcess StartHog(Machine machine)
    {
        string available = machine.ReadFile("/proc/meminfo").Split('\n')
            .Single(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        long bytes = long.Parse(available, CultureInfo.InvariantCulture) * 1024 / 10 * 11;
        return machine.Start(
            "nice", "choom", "-n", "1000", "--", "stress-ng", "--vm", "1", "--vm-bytes", $"{bytes}", "--vm-hang", "5",
            "--vm-method", "zero-one", "--timeout", "0");
    }

    // Each question costs the machine memory and time: one in five seconds.
    private static void WatchUntil(Stopwatch clock, double seconds, GuestProcess[] processes)
    {
        double askAt = 0;
        Wait.For("the time to be over", seconds + 1, () =>
        {
            double now = clock.Elapsed.TotalSeconds;
            if (now >= askAt)
            {
                askAt = now + 5;
                foreach (GuestProcess process in processes)
                {
                    Assert.False(process.HasEnded(), process.HasEnded() ? $"{process.Result()}" : "");
                }
            }

            // Not the time before the questions: an answer may take longer than what is left.
            return clock.Elapsed.TotalSeconds >= seconds;
        });
    }

    private static double Uptime(Machine machine) =>
        double.Parse(machine.ReadFile("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);

    private static (double Seconds, long Count)[] Read(Machine machine, string path) =>
    [
        .. machine.ReadFile(path).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .Where(words => words.Length == 2)
            .Select(words => (
                double.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture))),
    ];

    private static double LongestGap(Machine machine, string path, double begin, double end)
    {
        double[] times = [begin, .. Read(machine, path).Select(note => note.Seconds).Where(at => at < end), end];
        return Math.Round(times.Zip(times.Skip(1), (one, next) => next - one).Max(), 1);
    }

    // How often somebody who wanted memory had to look for it himself (vmstat's allocstall_*).
    private static long DirectReclaims(Machine machine) => machine.ReadFile("/proc/vmstat").Split('\n')
        .Where(line => line.StartsWith("allocstall_", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));

    private static int Count(string text, string what) => text.Split(what).Length - 1;
}
