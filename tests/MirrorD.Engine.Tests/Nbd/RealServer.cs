using System.Diagnostics;
using MirrorD.Engine.Nbd;
using MirrorD.Io;
using MirrorD.Io.Linux;
using MirrorD.Testing;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>A server on the real loop, with a preallocated file and a unix socket.</summary>
public sealed class RealServer : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly UringLoop _loop = new();
    private readonly LinuxDisk _disk;
    private readonly BufferPool _pool = new(64, 128 << 10);
    private readonly NbdServer _server;
    private readonly Thread _thread;
    private Exception? _failure;

    public RealServer(long diskBytes, bool withTls = false)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("mirrord-nbd-").FullName;
        Socket = Path.Combine(Directory, "s");
        string file = Path.Combine(Directory, "disk");
        LinuxDisk.CreateFile(file, diskBytes);
        _disk = LinuxDisk.Open(file, isWritable: true, isExclusive: true);
        Volume = new DiskFrontend(_loop, _disk, _pool, "mail/data");
        _server = new NbdServer(_loop, new UnixEndpoint(Socket), [Volume], new NbdServerOptions(), Note,
            withTls ? new ToldName(_loop) : null);
        _thread = new Thread(RunLoop) { IsBackground = true, Name = "nbd" };
        _thread.Start();
        OnLoop(_server.Start);
    }

    public string Directory { get; }

    public string Socket { get; }

    public string Uri => $"nbd+unix:///?socket={Socket}";

    public DiskFrontend Volume { get; }

    public List<NbdEvent> Events { get; } = [];

    /// <summary>Runs something on the loop's thread and waits for it.</summary>
    public void OnLoop(Action action)
    {
        using var done = new ManualResetEventSlim();
        _loop.Post(() =>
        {
            action();
            done.Set();
        });
        Assert.True(done.Wait(Deadline), $"waited {Deadline} for the loop to run an action; {_failure}");
    }

    /// <summary>Runs a client to its end; fails with its output when it does not succeed.</summary>
    public string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Directory,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Deadline))
        {
            process.Kill();
            Assert.Fail($"waited {Deadline} for {program} {string.Join(' ', arguments)} to end; {_failure}");
        }

        string all = output.Result + errors.Result;
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{all}\n{_failure}");
        return all;
    }

    public string RandomFile(string name, int bytes)
    {
        string path = Path.Combine(Directory, name);
        byte[] data = new byte[bytes];
        new Random(bytes).NextBytes(data);
        File.WriteAllBytes(path, data);
        return path;
    }

    /// <summary>Waits until every client is gone with nothing left in flight.</summary>
    public void UntilEmpty()
    {
        long began = Stopwatch.GetTimestamp();
        bool empty = false;
        while (!empty)
        {
            OnLoop(() => empty = _server.Sessions == 0);
            TimeSpan waited = Stopwatch.GetElapsedTime(began);
            Assert.True(waited < Deadline, $"waited {waited} for all clients to be gone");
        }

        OnLoop(() => Assert.Equal(_pool.Slots, _pool.FreeSlots));
    }

    public void Dispose()
    {
        using var stopped = new ManualResetEventSlim();
        _loop.Post(() => _server.Stop("end of the test", stopped.Set));
        bool ended = stopped.Wait(Deadline);
        _loop.Stop();
        _thread.Join();
        Assert.True(ended, $"waited {Deadline} for the server to stop; {_failure}");
        _disk.Close();
        _loop.Dispose();
        _pool.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private void Note(NbdEvent happened)
    {
        lock (Events)
        {
            Events.Add(happened);
        }
    }

    private void RunLoop()
    {
        try
        {
            _loop.Run();
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }
}
