using System.Diagnostics;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Benchmarks.Loops;

/// <summary>Requests of 4 KiB at random places of a file, past the page cache, through one loop on one thread.</summary>
internal sealed class LoopMeasurement : IDisposable
{
    private const int BlockBytes = 4096;
    private const long FileBytes = 64L << 20;
    private static readonly TimeSpan s_length = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly LinuxDisk _disk;
    private readonly LinuxLoop _loop;
    private readonly Random _random = new(1);

    /// <summary>Makes a file in the directory and a loop.</summary>
    public LoopMeasurement(LoopKind kind, string directory)
    {
        _path = Path.Combine(directory, $"loop-{kind}.img");
        File.Delete(_path);
        LinuxDisk.CreateFile(_path, FileBytes);
        _disk = LinuxDisk.Open(_path, isWritable: true, isExclusive: true);
        _loop = LoopFactory.Of(kind).Create();
        Fill();
    }

    /// <summary>Keeps so many requests under way for a second.</summary>
    /// <returns>Requests per second, and processor time of the process for each in µs.</returns>
    public (double PerSecond, double ProcessorUs) Run(int depth, bool isWrite)
    {
        long done = 0;
        int pending = depth;
        long begin = Stopwatch.GetTimestamp();
        TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
        IoBuffer[] buffers = [.. Enumerable.Range(0, depth).Select(_ => new IoBuffer(BlockBytes))];
        foreach (IoBuffer buffer in buffers)
        {
            Submit(new IoOperation(operation =>
            {
                done++;
                if (Stopwatch.GetElapsedTime(begin) < s_length)
                {
                    Submit(operation);
                }
                else if (--pending == 0)
                {
                    _loop.Stop();
                }
            }, buffer));
        }

        _loop.Run();
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        double microseconds = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMicroseconds;
        Array.ForEach(buffers, buffer => buffer.Dispose());
        return (done / seconds, microseconds / done);

        void Submit(IoOperation operation)
        {
            long offset = _random.NextInt64(FileBytes / BlockBytes) * BlockBytes;
            BufferSlice slice = ((IoBuffer)operation.State!).Slice(0, BlockBytes);
            if (isWrite)
            {
                _loop.Write(_disk, offset, slice, durable: false, operation);
            }
            else
            {
                _loop.Read(_disk, offset, slice, operation);
            }
        }
    }

    public void Dispose()
    {
        _disk.Close();
        _loop.Dispose();
        File.Delete(_path);
    }

    // What was never written is read without asking the disk.
    private void Fill()
    {
        using var buffer = new IoBuffer(1 << 20);
        buffer.Span.Fill(1);
        for (long offset = 0; offset < FileBytes; offset += 1 << 20)
        {
            _loop.Write(_disk, offset, buffer.Slice(0, 1 << 20), durable: false, new IoOperation(_ => _loop.Stop()));
            _loop.Run();
        }
    }
}
