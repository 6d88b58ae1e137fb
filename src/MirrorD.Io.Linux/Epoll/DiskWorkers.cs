using MirrorD.Io.Linux.Disks;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux.Epoll;

/// <summary>
/// The threads that carry out the operations of one disk, each one blocking in the kernel. Of one disk, so that a disk which
/// hangs holds up no other. All are started by the first operation: later ones allocate nothing, also when memory is short.
/// </summary>
internal sealed class DiskWorkers
{
    /// <summary>Operations of a disk that are under way at once: see docs/internals/decisions.md.</summary>
    public const int Count = 16;

    // They call the kernel and nothing else.
    private const int StackBytes = 128 * 1024;

    private readonly object _gate = new();
    private LoopOperation? _first;
    private LoopOperation? _last;
    private int _idle;
    private bool _isOver;

    public DiskWorkers()
    {
        try
        {
            for (int i = 0; i < Count; i++)
            {
                new Thread(Run, StackBytes) { IsBackground = true, Name = "disk" }.Start();
            }
        }
        catch (OutOfMemoryException)
        {
            // Of memory, or of threads that this process may have.
            End();
            throw;
        }
    }

    /// <summary>From the loop: has it done; it comes back by <see cref="EpollLoop.Answer"/>.</summary>
    public void Start(LoopOperation operation)
    {
        lock (_gate)
        {
            operation.Next = null;
            if (_last is null)
            {
                _first = operation;
            }
            else
            {
                _last.Next = operation;
            }

            _last = operation;
            if (_idle > 0)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Ends the threads once they have nothing to do.</summary>
    public void End()
    {
        lock (_gate)
        {
            _isOver = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Run()
    {
        while (TryTake() is { } operation)
        {
            EpollLoop owner = operation.Owner!;
            operation.KernelResult = DiskCalls.Perform(operation);
            owner.Answer(operation);
        }
    }

    private LoopOperation? TryTake()
    {
        lock (_gate)
        {
            while (_first is null && !_isOver)
            {
                _idle++;
                Monitor.Wait(_gate);
                _idle--;
            }

            LoopOperation? taken = _first;
            if (taken is not null)
            {
                _first = taken.Next;
                _last = _first is null ? null : _last;
                taken.Next = null;
            }

            return taken;
        }
    }
}
