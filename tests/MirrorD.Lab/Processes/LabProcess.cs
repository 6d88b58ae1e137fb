using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Processes;

/// <summary>A long-running program of a lab. Its output goes to a file, which outlives it.</summary>
public sealed class LabProcess
{
    private readonly Process _process;

    private LabProcess(Process process, string name, string logPath)
    {
        _process = process;
        Name = name;
        LogPath = logPath;
        Id = _process.Id;
    }

    /// <summary>Its name in messages.</summary>
    public string Name { get; }

    /// <summary>Process id: of the program itself, not of a wrapper.</summary>
    public int Id { get; }

    /// <summary>File with standard output and error.</summary>
    public string LogPath { get; }

    /// <summary>True until it has ended.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Exit status once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>What it has said so far.</summary>
    public string Output => File.Exists(LogPath) ? ReadShared() : "";

    /// <summary>Time on processors, in programs and kernel, of this process without its children.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory (proc(5), status VmRSS).</summary>
    public long ResidentBytes => MemoryBytes("VmRSS:");

    /// <summary>Resident memory without the program and other files (proc(5), status RssAnon).</summary>
    public long AnonymousBytes => MemoryBytes("RssAnon:");

    /// <summary>When it was sent a SIGSTOP (Stopwatch), each time.</summary>
    public ConcurrentQueue<long> StoppedAt { get; } = new();

    /// <summary>
    /// Starts a program in a session of its own, so that a Ctrl-C at the terminal is not for it.
    /// </summary>
    internal static LabProcess Start(
        string name, string logPath, string? networkNamespace, string program,
        IReadOnlyList<string> arguments)
    {
        // Each of these wrappers ends in exec: the id stays that of the program.
        var start = new ProcessStartInfo("setsid");
        if (networkNamespace is not null)
        {
            start.ArgumentList.Add("nsenter");
            start.ArgumentList.Add(Host.NamespaceOption(networkNamespace));
        }

        const string Redirected = "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null";
        foreach (string word in (string[])["sh", "-c", Redirected, "sh", logPath, program])
        {
            start.ArgumentList.Add(word);
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start)
            ?? throw new InvalidOperationException($"could not start {name}: {program}");
        return new LabProcess(process, name, logPath);
    }

    /// <summary>SIGKILL, and waits for its end.</summary>
    public void Kill()
    {
        Send(Signals.Kill);
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            throw new TimeoutException($"waited 10 s for {Name} ({Id}) to die of SIGKILL");
        }
    }

    /// <summary>SIGTERM, and waits for its end.</summary>
    public void Terminate(double seconds = 15)
    {
        Send(Signals.Terminate);
        WaitForExit(seconds);
    }

    /// <summary>Sends a signal; nothing happens when it has ended.</summary>
    public void Send(int signal)
    {
        if (!_process.HasExited)
        {
            if (signal == Signals.Stop)
            {
                StoppedAt.Enqueue(Stopwatch.GetTimestamp());
            }

            Signals.Send(Id, signal);
        }
    }

    /// <summary>
    /// Stops it with SIGSTOP, and waits until it stands still: the signal is on its way for a while. What it has given to
    /// io_uring goes on, in threads of the kernel's.
    /// </summary>
    public void StandStill()
    {
        Send(Signals.Stop);
        Wait.For(
            $"{Name} to stand still", 30, () => Directory.GetDirectories($"/proc/{Id}/task").All(IsStopped), Tail);
    }

    private static bool IsStopped(string thread)
    {
        string stat = File.ReadAllText($"{thread}/stat");
        return stat.Contains("(iou-", StringComparison.Ordinal) || stat[stat.LastIndexOf(')') + 2] == 'T';
    }

    /// <summary>Waits for its end.</summary>
    /// <exception cref="TimeoutException">It still runs.</exception>
    public void WaitForExit(double seconds)
    {
        if (!_process.WaitForExit(TimeSpan.FromSeconds(seconds)))
        {
            throw new TimeoutException(
                $"waited {seconds:0.#} s for {Name} ({Id}) to end; it said:\n{Tail()}");
        }
    }

    /// <summary>Waits until its output holds a text.</summary>
    public void WaitForOutput(string text, double seconds) =>
        Wait.For(
            $"{Name} to say \"{text}\"", seconds,
            () => Output.Contains(text, StringComparison.Ordinal), Tail);

    /// <summary>The end of its output, for messages.</summary>
    public string Tail(int lines = 30)
    {
        string[] all = Output.Split('\n');
        string state = IsRunning ? "running" : $"ended with {ExitCode}";
        return $"--- {Name} ({state}) ---\n{string.Join('\n', all.TakeLast(lines + 1))}";
    }

    private string Tail() => Tail(30);

    private long MemoryBytes(string field)
    {
        string line = File.ReadLines($"/proc/{Id}/status")
            .First(candidate => candidate.StartsWith(field, StringComparison.Ordinal));
        string kibibytes = line[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
    }

    private string ReadShared()
    {
        using var stream = new FileStream(LogPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
