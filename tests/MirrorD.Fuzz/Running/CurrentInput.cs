using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace MirrorD.Fuzz.Running;

/// <summary>
/// The input that runs now, in a file that outlives the process, and a thread that ends the process when one runs for too
/// long. A stack overflow or an endless loop leaves no other trace.
/// </summary>
public sealed class CurrentInput : IDisposable
{
    /// <summary>Exit code of a process that was ended because an input ran for too long.</summary>
    public const int HangExitCode = 70;

    private const int MostBytes = 1 << 20;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _watch;
    private long _runs;

    /// <param name="path">The file.</param>
    /// <param name="mostCpuMs">Processor time in milliseconds that one input may take.</param>
    public CurrentInput(string path, int mostCpuMs)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, MostBytes + sizeof(int));
        _view = _file.CreateViewAccessor();
        _watch = new Thread(() => Watch(mostCpuMs)) { IsBackground = true, Name = "hang watch" };
        _watch.Start();
    }

    /// <summary>The input that a process left behind; null when none ran.</summary>
    public static byte[]? Left(string path)
    {
        byte[] bytes = File.Exists(path) ? File.ReadAllBytes(path) : [];
        int length = bytes.Length < sizeof(int) ? 0 : BitConverter.ToInt32(bytes);
        return length == 0 ? null : bytes[sizeof(int)..(sizeof(int) + length - 1)];
    }

    /// <summary>An input begins to run. One more than its length is stored, so that an empty one is seen.</summary>
    public void Begin(byte[] input)
    {
        int length = Math.Min(input.Length, MostBytes - 1);
        _view.WriteArray(sizeof(int), input, 0, length);
        _view.Write(0, length + 1);
        Interlocked.Increment(ref _runs);
    }

    /// <summary>It has ended.</summary>
    public void End()
    {
        Interlocked.Increment(ref _runs);
        _view.Write(0, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Set();
        _watch.Join();
        _view.Dispose();
        _file.Dispose();
        _ended.Dispose();
    }

    // Processor time, not the clock's: a busy machine makes everything slow.
    private void Watch(int mostCpuMs)
    {
        using Process self = Process.GetCurrentProcess();
        long seen = 0;
        TimeSpan since = self.TotalProcessorTime;
        while (!_ended.Wait(200))
        {
            self.Refresh();
            long now = Interlocked.Read(ref _runs);
            if (now != seen || now % 2 == 0)
            {
                seen = now;
                since = self.TotalProcessorTime;
            }
            else if ((self.TotalProcessorTime - since).TotalMilliseconds > mostCpuMs)
            {
                Environment.Exit(HangExitCode);
            }
        }
    }
}
