using System.Diagnostics;
using System.Globalization;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Clients;

/// <summary>fio with verification in the background, until it is told to stop.</summary>
public sealed class FioRun
{
    private readonly LabProcess _process;
    private DateTime _lastWrite = DateTime.UtcNow;

    /// <summary>Starts it.</summary>
    public FioRun(Lab lab, string socket, int clients, long bytesPerClient) =>
        _process = lab.Start(
            "fio", "fio", NbdTools.FioVerify(socket, clients, bytesPerClient, seconds: 3600));

    /// <summary>False once it has ended, which it never should by itself.</summary>
    public bool IsRunning => _process.IsRunning;

    /// <summary>True when a file has been written since the start, or since the last call that said true.</summary>
    public bool HasWrittenSince(string path)
    {
        DateTime written = File.GetLastWriteTimeUtc(path);
        bool newer = written > _lastWrite;
        _lastWrite = newer ? DateTime.UtcNow : _lastWrite;
        return newer;
    }

    /// <summary>Time on processors, its jobs included.</summary>
    public TimeSpan ProcessorTime => Jobs().Aggregate(_process.ProcessorTime, (sum, job) =>
    {
        using var process = Process.GetProcessById(job);
        return sum + process.TotalProcessorTime;
    });

    /// <summary>It runs on these processors from now on, its jobs included.</summary>
    public void Bind(string processors)
    {
        Processors.Bind(_process.Id, processors);
        foreach (int job in Jobs())
        {
            Processors.Bind(job, processors);
        }
    }

    /// <summary>Stops it with SIGSTOP; requests that it sent go on behind it.</summary>
    public void Pause() => Send(Signals.Stop);

    /// <summary>Lets it go on.</summary>
    public void Resume() => Send(Signals.Continue);

    /// <summary>Ends it; it must have had no error and no wrong data.</summary>
    public void StopAndRequireClean()
    {
        // Not to its jobs, which it tells itself: fio's handler allocates memory, and waits for ever in one that was doing just that.
        _process.Send(Signals.Interrupt);
        _process.WaitForExit(60);
        string said = _process.Output;
        // "verify: bad magic header …", "crc32c: verify failed at file …"
        if (said.Contains("verify: ", StringComparison.Ordinal)
            || said.Contains("verify failed", StringComparison.Ordinal)
            || !said.Contains("err= 0", StringComparison.Ordinal))
        {
            string[] lines = said.Split('\n');
            throw new InvalidDataException($"fio was not content\n{string.Join('\n', lines.Take(40))}");
        }
    }

    /// <summary>What it said, for messages.</summary>
    public string Tail() => _process.Tail();

    private void Send(int signal)
    {
        if (!_process.IsRunning)
        {
            return;
        }

        foreach (int job in Jobs())
        {
            Signals.Send(job, signal);
        }

        _process.Send(signal);
    }

    // fio runs its jobs as children.
    private IEnumerable<int> Jobs() =>
        File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(job => int.Parse(job, CultureInfo.InvariantCulture));
}
