namespace MirrorD.Io.Linux.Loops;

/// <summary>
/// How far the zeroing of a range has fallen back: from giving room back to writing zeroes.
/// </summary>
internal enum ZeroStep
{
    Punch,
    ZeroRange,
    WriteZeroes,
}

/// <summary>
/// The loop's side of an <see cref="IoOperation"/>: made at its first submission, kept in
/// <see cref="IoOperation.LoopState"/> and used again, so that later submissions allocate nothing.
/// </summary>
internal sealed class LoopOperation(IoOperation operation)
{
    public readonly IoOperation Operation = operation;

    /// <summary>
    /// Place in the table of pending operations, and how often it was submitted: the user data.
    /// </summary>
    public int Index = -1;
    public uint Submission;

    public int Fd;
    public LinuxDisk? Disk;
    public LoopSocket? Socket;

    /// <summary>
    /// Holds what lies at the address while the kernel may use it: a buffer may go on with other memory meanwhile.
    /// </summary>
    public IoMemory? Memory;

    /// <summary>Memory, its length or the length of the range, and how much of it is done.</summary>
    public nint Address;
    public long Offset;
    public long LengthBytes;
    public long DoneBytes;

    /// <summary>Receive: enough for completion.</summary>
    public int MinimumBytes;

    /// <summary>Send: the socket has taken all of it, or failed; only the completion is left.</summary>
    public bool HasLeft;

    /// <summary>Write: on stable storage before completion.</summary>
    public bool IsDurable;

    /// <summary>Zero and discard.</summary>
    public ZeroStep Step;
    public bool MayUnmap;

    /// <summary>Discard by ioctl: ends it on the loop's thread. Made once.</summary>
    public Action? Ended;

    /// <summary>The last try would have blocked: let a worker thread of the kernel do it.</summary>
    public bool ForceWorker;

    /// <summary>Timer, and time limit of a connect.</summary>
    public long DeadlineNs;
    public long TimerSequence;

    /// <summary>Connect: when it fails. A deadline before it is another try.</summary>
    public long LimitNs;
    public int HeapIndex = -1;
    public bool IsTimedOut;

    /// <summary>Connect: bytes of the socket address that lies at the address.</summary>
    public uint AddressBytes;

    /// <summary>Epoll: it waits for its socket; of a connect also that the other end has been asked.</summary>
    public bool IsParked;
    public bool IsUnderWay;

    /// <summary>Epoll: what the kernel answered, until it is looked at in a turn.</summary>
    public int KernelResult;

    /// <summary>Epoll: the loop, while workers have it or have answered it; and what follows it in a list.</summary>
    public EpollLoop? Owner;
    public LoopOperation? Next;

    /// <summary>Result to deliver without the kernel; of an allocation query also what was found.</summary>
    public int LocalResult;
    public bool IsHole;

    /// <summary>User data of the pending submission.</summary>
    public ulong UserData => ((ulong)Submission << 32) | (uint)Index;

    /// <summary>The loop's side of an operation.</summary>
    public static LoopOperation Of(IoOperation operation)
    {
        if (operation.LoopState is LoopOperation known)
        {
            return known;
        }

        var made = new LoopOperation(operation);
        operation.LoopState = made;
        return made;
    }
}
