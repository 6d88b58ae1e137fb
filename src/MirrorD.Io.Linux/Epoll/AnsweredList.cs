using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux.Epoll;

/// <summary>
/// Operations that workers have done and the loop has not looked at. Without lock and without allocation: a stack through
/// <see cref="LoopOperation.Next"/> that the loop takes as a whole.
/// </summary>
internal sealed class AnsweredList
{
    private LoopOperation? _last;

    public bool IsEmpty => Volatile.Read(ref _last) is null;

    /// <summary>From a worker. A full fence.</summary>
    public void Add(LoopOperation operation)
    {
        LoopOperation? former = Volatile.Read(ref _last);
        while (true)
        {
            operation.Next = former;
            LoopOperation? found = Interlocked.CompareExchange(ref _last, operation, former);
            if (found == former)
            {
                return;
            }

            former = found;
        }
    }

    /// <summary>From the loop: moves all to the queue, in the order in which they were done.</summary>
    public void MoveTo(Queue<LoopOperation> queue)
    {
        if (IsEmpty)
        {
            return;
        }

        LoopOperation? first = null;
        for (LoopOperation? at = Interlocked.Exchange(ref _last, null); at is not null;)
        {
            LoopOperation? next = at.Next;
            at.Next = first;
            first = at;
            at = next;
        }

        for (LoopOperation? at = first; at is not null;)
        {
            LoopOperation? next = at.Next;
            at.Next = null;
            queue.Enqueue(at);
            at = next;
        }
    }
}
