using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux.Disks;

/// <summary>
/// Discards on block devices that can't zero by discarding: fallocate(2) refuses those, and the ioctl that does
/// it blocks (io_uring carries it from Linux 6.12 on only). One thread, started by the first use.
/// </summary>
internal sealed unsafe class DiscardThread(Action<LoopOperation, int> completed) : IDisposable
{
    private readonly Queue<LoopOperation> _waiting = new();
    private Thread? _thread;
    private bool _isOver;

    /// <summary>Has the range of the operation discarded; the callback comes on the other thread.</summary>
    public void Start(LoopOperation operation)
    {
        lock (_waiting)
        {
            _waiting.Enqueue(operation);
            Monitor.Pulse(_waiting);
        }

        if (_thread is null)
        {
            _thread = new Thread(Run) { IsBackground = true, Name = "discard" };
            _thread.Start();
        }
    }

    /// <summary>Ends the thread; waits for a discard that is under way and forgets those that are not.</summary>
    public void Dispose()
    {
        lock (_waiting)
        {
            _isOver = true;
            Monitor.Pulse(_waiting);
        }

        _thread?.Join();
    }

    private void Run()
    {
        ulong* range = stackalloc ulong[2];
        while (TryTake() is { } operation)
        {
            range[0] = (ulong)operation.Offset;
            range[1] = (ulong)operation.LengthBytes;
            int result = Fs.ioctl(operation.Fd, Fs.BLKDISCARD, range) == 0 ? 0 : -LinuxError.Last;
            completed(operation, result);
        }
    }

    private LoopOperation? TryTake()
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0 && !_isOver)
            {
                Monitor.Wait(_waiting);
            }

            return _isOver ? null : _waiting.Dequeue();
        }
    }
}
