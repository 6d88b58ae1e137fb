namespace MirrorD.Daemon.Security;

/// <summary>
/// One thread for the arithmetic of handshakes, so that it never holds up a resource's requests. What waits is bounded by the
/// connections that authenticate at once.
/// </summary>
internal sealed class HandshakeThread
{
    // Building a chain of certificates takes more than the small stacks of other threads.
    private const int StackBytes = 512 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Action> _waiting = new();
    private readonly SemaphoreSlim _count = new(0);

    public HandshakeThread() => new Thread(Run, StackBytes) { IsBackground = true, Name = "handshakes" }.Start();

    /// <summary>Any thread: carries the step out soon; it must not throw.</summary>
    public void Do(Action step)
    {
        lock (_lock)
        {
            _waiting.Enqueue(step);
        }

        _count.Release();
    }

    private void Run()
    {
        while (true)
        {
            _count.Wait();
            Action step;
            lock (_lock)
            {
                step = _waiting.Dequeue();
            }

            step();
        }
    }
}
