using System.Collections.Concurrent;

namespace MirrorD.Io.Simulated;

/// <summary>
/// The loop of one simulated process. <see cref="Run"/> drives the whole world until <see cref="Stop"/>, so
/// that code written for a real loop runs as it is; a simulator steps the world itself instead.
/// </summary>
public sealed class SimulatedLoop : IIoLoop
{
    /// <summary>Cost of a turn of the loop: how long a completion waits to be noticed.</summary>
    private const long LongestTurnNs = 5_000;

    private readonly SimulatedWorld _world;
    private readonly ConcurrentQueue<Action> _posts = new();
    private int _scheduledPosts;
    private volatile bool _stop;

    internal SimulatedLoop(SimulatedWorld world, SimulatedNode node)
    {
        _world = world;
        Node = node;
    }

    /// <inheritdoc/>
    public long NowNs => _world.NowNs + Node.ClockOffsetNs;

    /// <summary>
    /// True once the process was killed or its node lost power; nothing completes any more.
    /// </summary>
    public bool IsDead { get; private set; }

    internal SimulatedNode Node { get; }

    /// <summary>World time until which the process does nothing (SIGSTOP).</summary>
    internal long PausedUntilNs { get; set; }

    internal bool StopRequested => _stop;

    /// <inheritdoc/>
    public void Read(IDisk disk, long offset, BufferSlice into, IoOperation operation)
    {
        operation.Begin(OperationKind.Read);
        Own(disk).Submit(this, operation, offset, into.LengthBytes, into, durable: false, unmap: false);
    }

    /// <inheritdoc/>
    public void Write(IDisk disk, long offset, BufferSlice from, bool durable, IoOperation operation)
    {
        operation.Begin(OperationKind.Write);
        Own(disk).Submit(this, operation, offset, from.LengthBytes, from, durable, unmap: false);
    }

    /// <inheritdoc/>
    public void Flush(IDisk disk, IoOperation operation)
    {
        operation.Begin(OperationKind.Flush);
        Own(disk).Submit(this, operation, 0, 0, default, durable: false, unmap: false);
    }

    /// <inheritdoc/>
    public void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        operation.Begin(OperationKind.Discard);
        Own(disk).Submit(this, operation, offset, lengthBytes, default, durable: false, unmap: true);
    }

    /// <inheritdoc/>
    public void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation)
    {
        operation.Begin(OperationKind.Zero);
        Own(disk).Submit(this, operation, offset, lengthBytes, default, durable: false, mayUnmap);
    }

    /// <inheritdoc/>
    public void QueryAllocation(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        operation.Begin(OperationKind.Allocation);
        Own(disk).Submit(this, operation, offset, lengthBytes, default, durable: false, unmap: false);
    }

    /// <inheritdoc/>
    public void Receive(IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(minimumBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minimumBytes, into.LengthBytes);
        operation.Begin(OperationKind.Receive);
        ((SimulatedConnection)connection).Receive(into, minimumBytes, operation);
    }

    /// <inheritdoc/>
    public void Send(IConnection connection, BufferSlice from, IoOperation operation)
    {
        operation.Begin(OperationKind.Send);
        ((SimulatedConnection)connection).Send(from, operation);
    }

    /// <inheritdoc/>
    public IListener Listen(Endpoint endpoint) => _world.Network.Listen(this, endpoint);

    /// <inheritdoc/>
    public void Accept(IListener listener, IoOperation operation)
    {
        operation.Begin(OperationKind.Accept);
        ((SimulatedListener)listener).Accept(operation);
    }

    /// <inheritdoc/>
    public void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation)
    {
        operation.Begin(OperationKind.Connect);
        _world.Network.Connect(this, endpoint, timeoutNs, operation);
    }

    /// <inheritdoc/>
    public IDatagramSocket OpenDatagram(UdpEndpoint endpoint) =>
        _world.Network.OpenDatagram(this, endpoint);

    /// <inheritdoc/>
    public void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(into.LengthBytes, 1);
        ((SimulatedDatagramSocket)socket).Receive(into, operation);
    }

    /// <inheritdoc/>
    public void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation) =>
        ((SimulatedDatagramSocket)socket).Send(from, operation);

    /// <inheritdoc/>
    public void StartTimer(long deadlineNs, IoOperation operation)
    {
        operation.Begin(OperationKind.Timer);
        operation.LoopState = AfterByClock(deadlineNs - NowNs, () => operation.Complete(0));
    }

    /// <inheritdoc/>
    public void CancelTimer(IoOperation operation)
    {
        if (operation is { IsPending: true, Kind: OperationKind.Timer, LoopState: SimulatedEvent pending })
        {
            pending.Cancel();
            operation.LoopState = null;
            CompleteSoon(operation, -Errno.ECANCELED);
        }
    }

    /// <inheritdoc/>
    public void Post(Action action)
    {
        _posts.Enqueue(action);
        _world.NotePost();
    }

    /// <inheritdoc/>
    public void Run()
    {
        while (!_stop)
        {
            if (!_world.Step())
            {
                _world.WaitForOtherThreads(this);
            }
        }

        _stop = false;
    }

    /// <inheritdoc/>
    public void Stop()
    {
        _stop = true;
        _world.WakeWaiters();
    }

    internal void Die() => IsDead = true;

    /// <summary>An event of this process.</summary>
    internal SimulatedEvent After(long delayNs, Action action) => _world.Add(this, delayNs, action);

    /// <summary>An event of this process that is due by its host's clock.</summary>
    internal SimulatedEvent AfterByClock(long delayNs, Action action) =>
        _world.Add(this, delayNs, action, isTimer: true);

    /// <summary>Completes an operation in one of the next turns.</summary>
    internal SimulatedEvent CompleteSoon(IoOperation operation, int result) =>
        After(TurnNs(), () => operation.Complete(result));

    internal long TurnNs() => _world.Random.Between(100, LongestTurnNs);

    /// <summary>
    /// One event per posted action; each event runs the oldest one, so their order is kept.
    /// </summary>
    internal void SchedulePosts()
    {
        for (; _scheduledPosts < _posts.Count; _scheduledPosts++)
        {
            After(TurnNs(), RunPost);
        }
    }

    private static SimulatedDisk Own(IDisk disk) => (SimulatedDisk)disk;

    private void RunPost()
    {
        _scheduledPosts--;
        if (_posts.TryDequeue(out Action? action))
        {
            action();
        }
    }
}
