using MirrorD.Lab;
using MirrorD.Machines;
using MirrorD.Machines.Agent;

namespace MirrorD.Benchmarks.Machines;

/// <summary>A block device of machine a that is measured there; machine b has its other copy.</summary>
/// <param name="Name">Its name in results.</param>
/// <param name="DevicePath">Where it is on a.</param>
/// <param name="DiskName">Name of the disk below it, on a and b.</param>
/// <param name="Program">The program that does its work, on a or b or both; null when the kernel does it.</param>
internal sealed record MachineContender(string Name, string DevicePath, string DiskName, string? Program = null)
{
    private const double SlowSeconds = 600;

    // To read all counters twice takes a busy machine some seconds.
    private const double CountingSeconds = 10;

    /// <summary>Runs fio on a and counts on both machines what the writes cost once they flow.</summary>
    /// <param name="lab">The machines.</param>
    /// <param name="workload">What is done.</param>
    /// <param name="seconds">So long it is counted; fio runs longer.</param>
    /// <exception cref="InvalidOperationException">fio ended before all was counted, time after time.</exception>
    public (Figures Figures, MachineCounts Counts) Run(MachineLab lab, Workload workload, double seconds)
    {
        var counters = new MachineCounters(lab, this);
        for (int tries = 0; tries < 3; tries++)
        {
            // An emulated machine takes seconds to start fio; neither that nor its end is counted.
            long first = counters.Writes;
            GuestProcess fio = lab.A.Start("fio", [.. workload.Arguments(seconds + CountingSeconds), .. Target]);
            Wait.For($"{Name} to be written", SlowSeconds, () => counters.Writes > first + 10);
            MachineCounts counted = Count(counters, seconds);
            bool isWhole = !fio.HasEnded();
            var figures = Figures.Read(fio.WaitForExit(SlowSeconds).Require().Output, 1);
            if (isWhole)
            {
                return (figures, counted);
            }
        }

        throw new InvalidOperationException(
            $"{Name}: fio ended before its writes were counted: this machine has too much else to do; try more --seconds.");
    }

    /// <summary>Counts while nothing is asked of it.</summary>
    public MachineCounts Rest(MachineLab lab, double seconds) => Count(new MachineCounters(lab, this), seconds);

    /// <summary>Writes all that is measured once.</summary>
    public void Fill(MachineLab lab) => lab.A.RunWithin(
        SlowSeconds, "fio",
        [
            "--name=fill", "--rw=write", "--bs=128k", "--iodepth=4", $"--size={Workload.Bytes}", "--end_fsync=1", .. Target,
        ]).Require();

    // O_DIRECT and asynchronous: a write with O_DSYNC is one request with FUA to the device.
    private string[] Target => [$"--filename={DevicePath}", "--ioengine=libaio", "--direct=1"];

    private static MachineCounts Count(MachineCounters counters, double seconds)
    {
        MachineCounts before = counters.Read(isBegin: true);
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        return counters.Read(isBegin: false) - before;
    }
}
