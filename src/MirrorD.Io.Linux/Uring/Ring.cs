using MirrorD.Io.Linux.Interop;
using static MirrorD.Io.Linux.Interop.IoUring;
using static MirrorD.Io.Linux.Interop.Mman;

namespace MirrorD.Io.Linux.Uring;

/// <summary>
/// The two queues shared with the kernel, and nothing above them: entries go out, results come in.
/// The ring is made disabled; the thread that enables it is the only one that may enter it afterwards.
/// </summary>
internal sealed unsafe class Ring : IDisposable
{
    private readonly int _fd;
    private readonly byte* _rings;
    private readonly nuint _ringsBytes;
    private readonly io_uring_sqe* _entries;
    private readonly nuint _entriesBytes;

    private readonly uint* _submitHead;
    private readonly uint* _submitTail;
    private readonly uint _submitMask;
    private readonly uint _submitCapacity;
    private uint _nextSubmit;

    private readonly uint* _completeHead;
    private readonly uint* _completeTail;
    private readonly uint _completeMask;
    private readonly io_uring_cqe* _completions;

    public Ring(uint entries, uint completions)
    {
        io_uring_params parameters;
        _fd = RingSetup.Create(entries, completions, &parameters);
        try
        {
            nuint submitBytes = parameters.sq_off.array + (parameters.sq_entries * sizeof(uint));
            nuint completeBytes =
                parameters.cq_off.cqes + (parameters.cq_entries * (uint)sizeof(io_uring_cqe));
            _ringsBytes = nuint.Max(submitBytes, completeBytes);
            _rings = (byte*)Map(_ringsBytes, IORING_OFF_SQ_RING);
            _entriesBytes = parameters.sq_entries * (uint)sizeof(io_uring_sqe);
            _entries = (io_uring_sqe*)Map(_entriesBytes, IORING_OFF_SQES);
        }
        catch
        {
            Dispose();
            throw;
        }

        _submitHead = (uint*)(_rings + parameters.sq_off.head);
        _submitTail = (uint*)(_rings + parameters.sq_off.tail);
        _submitMask = *(uint*)(_rings + parameters.sq_off.ring_mask);
        _submitCapacity = parameters.sq_entries;
        uint* order = (uint*)(_rings + parameters.sq_off.array);
        for (uint i = 0; i < parameters.sq_entries; i++)
        {
            order[i] = i;
        }

        _completeHead = (uint*)(_rings + parameters.cq_off.head);
        _completeTail = (uint*)(_rings + parameters.cq_off.tail);
        _completeMask = *(uint*)(_rings + parameters.cq_off.ring_mask);
        _completions = (io_uring_cqe*)(_rings + parameters.cq_off.cqes);
    }

    /// <summary>Entries written but not yet taken by the kernel.</summary>
    public uint Unsubmitted => _nextSubmit - Volatile.Read(ref *_submitHead);

    /// <summary>Completions that can be taken without entering the kernel.</summary>
    public uint Completed => Volatile.Read(ref *_completeTail) - *_completeHead;

    /// <summary>
    /// Makes the calling thread the ring's own. Entries written before stay queued until then.
    /// </summary>
    public void Enable()
    {
        if (Register(_fd, IORING_REGISTER_ENABLE_RINGS, null, 0) < 0)
        {
            throw LinuxError.Exception("io_uring could not be enabled", LinuxError.Last);
        }

        // Waits measure suspended time too where the kernel can do it (6.12); elsewhere a timer may come late
        // after a resume by what was left of it.
        var clock = new io_uring_clock_register { clockid = Clock.CLOCK_BOOTTIME };
        _ = Register(_fd, IORING_REGISTER_CLOCK, &clock, 0);
    }

    /// <summary>
    /// Caps the kernel's worker threads for what can't be done without blocking (flush, zero).
    /// </summary>
    public void LimitWorkers(uint bounded, uint unbounded)
    {
        uint* limits = stackalloc uint[2] { bounded, unbounded };
        _ = Register(_fd, IORING_REGISTER_IOWQ_MAX_WORKERS, limits, 2);
    }

    /// <summary>
    /// A cleared entry to fill in, or null when the queue is full. Goes out with the next enter.
    /// </summary>
    public io_uring_sqe* TryTakeEntry()
    {
        if (Unsubmitted == _submitCapacity)
        {
            return null;
        }

        io_uring_sqe* entry = &_entries[_nextSubmit++ & _submitMask];
        *entry = default;
        return entry;
    }

    /// <summary>Takes the oldest completion, if there is one.</summary>
    public bool TryTakeCompletion(out ulong userData, out int result)
    {
        uint head = *_completeHead;
        if (head == Volatile.Read(ref *_completeTail))
        {
            userData = 0;
            result = 0;
            return false;
        }

        io_uring_cqe* completion = &_completions[head & _completeMask];
        userData = completion->user_data;
        result = completion->res;
        Volatile.Write(ref *_completeHead, head + 1);
        return true;
    }

    /// <summary>Hands written entries to the kernel without looking for completions.</summary>
    public void Submit() => Check(Enter(_fd, Publish(), 0, 0, null, 0));

    /// <summary>Hands written entries over and has the kernel post completions.</summary>
    /// <param name="wait">Block until there is at least one completion.</param>
    /// <param name="timeoutNs">Longest wait; negative: no limit.</param>
    public void SubmitAndReap(bool wait, long timeoutNs)
    {
        uint flags = IORING_ENTER_GETEVENTS;
        if (!wait || timeoutNs < 0)
        {
            Check(Enter(_fd, Publish(), wait ? 1u : 0u, flags, null, 0));
            return;
        }

        var limit = new __kernel_timespec
        {
            tv_sec = timeoutNs / 1_000_000_000,
            tv_nsec = timeoutNs % 1_000_000_000,
        };
        var argument = new io_uring_getevents_arg { ts = (ulong)&limit };
        flags |= IORING_ENTER_EXT_ARG;
        Check(Enter(_fd, Publish(), 1, flags, &argument, (nuint)sizeof(io_uring_getevents_arg)));
    }

    /// <summary>Closes the ring; the kernel cancels what is still pending.</summary>
    public void Dispose()
    {
        if (_entries != null)
        {
            _ = munmap(_entries, _entriesBytes);
        }

        if (_rings != null)
        {
            _ = munmap(_rings, _ringsBytes);
        }

        _ = Unistd.close(_fd);
    }

    private uint Publish()
    {
        Volatile.Write(ref *_submitTail, _nextSubmit);
        return Unsubmitted;
    }

    private static void Check(int result)
    {
        if (result >= 0)
        {
            return;
        }

        // Interrupted, timed out, or short of memory or completion room: what was not taken goes out next
        // time.
        int errno = LinuxError.Last;
        if (errno is not (LinuxError.EINTR or LinuxError.ETIME or Errno.EAGAIN or Errno.EBUSY))
        {
            throw LinuxError.Exception("io_uring_enter failed", errno);
        }
    }

    private void* Map(nuint lengthBytes, long offset)
    {
        const int access = PROT_READ | PROT_WRITE;
        void* memory = mmap(null, lengthBytes, access, MAP_SHARED | MAP_POPULATE, _fd, offset);
        return memory != Failed
            ? memory
            : throw LinuxError.Exception("io_uring queues can't be mapped", LinuxError.Last);
    }
}
