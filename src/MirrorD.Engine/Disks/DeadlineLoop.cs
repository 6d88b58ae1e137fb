using MirrorD.Io;

namespace MirrorD.Engine.Disks;

/// <summary>
/// A loop on which no disk operation takes longer than a limit (safety contract, section 2, rule 10: disk-timeout). One
/// that does is given up, with all others of that disk: its user gets ETIMEDOUT and its buffer goes on with other memory,
/// since the kernel may still use the former one whenever it likes. A disk with given up operations takes no new ones;
/// when the last of them has ended, nothing of them can reach the disk any more, and it may be used again. What is not
/// about disks goes straight through. Allocates nothing as long as disks answer.
/// </summary>
public sealed class DeadlineLoop : IIoLoop
{
    private readonly IIoLoop _loop;
    private readonly int _mostTicks;
    private readonly List<WatchedOperation> _pending = new(1024);
    private readonly Stack<WatchedOperation> _free = new(1024);
    private readonly Dictionary<IDisk, int> _givenUp = [];
    private readonly Action<IoOperation> _ended;
    private readonly Action? _begins;

    /// <summary>Puts the limit on a loop's disks.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="ticks">
    /// How often <see cref="Tick"/> is called while an operation is pending before it is given up. Ticks, not time: a
    /// process that stood still finds what completed meanwhile before it is asked to.
    /// </param>
    /// <param name="begins">Called before an operation while no other one is pending: ticks are needed from now on.</param>
    public DeadlineLoop(IIoLoop loop, int ticks, Action? begins = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ticks);
        _loop = loop;
        _mostTicks = ticks;
        _begins = begins;
        _ended = Ended;
    }

    /// <inheritdoc/>
    public long NowNs => _loop.NowNs;

    /// <summary>Operations that were given up and have not ended.</summary>
    public int GivenUp { get; private set; }

    /// <summary>No disk has anything to do: nothing counts ticks.</summary>
    public bool IsIdle => _pending.Count == 0 && GivenUp == 0;

    /// <summary>Called in regular intervals, except while it is idle.</summary>
    public void Tick()
    {
        IDisk? late = null;
        foreach (WatchedOperation pending in _pending)
        {
            late = ++pending.Ticks > _mostTicks ? pending.Disk : late;
        }

        if (late is not null)
        {
            GiveUp(late);
        }
    }

    /// <inheritdoc/>
    public void Read(IDisk disk, long offset, BufferSlice into, IoOperation operation)
    {
        if (Begin(disk, into.Buffer, operation, OperationKind.Read) is { } watched)
        {
            _loop.Read(disk, offset, into, watched.Inner);
        }
    }

    /// <inheritdoc/>
    public void Write(IDisk disk, long offset, BufferSlice from, bool durable, IoOperation operation)
    {
        if (Begin(disk, from.Buffer, operation, OperationKind.Write) is { } watched)
        {
            _loop.Write(disk, offset, from, durable, watched.Inner);
        }
    }

    /// <inheritdoc/>
    public void Flush(IDisk disk, IoOperation operation)
    {
        if (Begin(disk, null, operation, OperationKind.Flush) is { } watched)
        {
            _loop.Flush(disk, watched.Inner);
        }
    }

    /// <inheritdoc/>
    public void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        if (Begin(disk, null, operation, OperationKind.Discard) is { } watched)
        {
            _loop.Discard(disk, offset, lengthBytes, watched.Inner);
        }
    }

    /// <inheritdoc/>
    public void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation)
    {
        if (Begin(disk, null, operation, OperationKind.Zero) is { } watched)
        {
            _loop.Zero(disk, offset, lengthBytes, mayUnmap, watched.Inner);
        }
    }

    /// <inheritdoc/>
    public void QueryAllocation(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        if (Begin(disk, null, operation, OperationKind.Allocation) is { } watched)
        {
            _loop.QueryAllocation(disk, offset, lengthBytes, watched.Inner);
        }
    }

    /// <inheritdoc/>
    public void Receive(IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation) =>
        _loop.Receive(connection, into, minimumBytes, operation);

    /// <inheritdoc/>
    public void Send(IConnection connection, BufferSlice from, IoOperation operation) =>
        _loop.Send(connection, from, operation);

    /// <inheritdoc/>
    public IListener Listen(Endpoint endpoint) => _loop.Listen(endpoint);

    /// <inheritdoc/>
    public void Accept(IListener listener, IoOperation operation) => _loop.Accept(listener, operation);

    /// <inheritdoc/>
    public void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation) =>
        _loop.Connect(endpoint, timeoutNs, operation);

    /// <inheritdoc/>
    public IDatagramSocket OpenDatagram(UdpEndpoint endpoint) => _loop.OpenDatagram(endpoint);

    /// <inheritdoc/>
    public void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation) =>
        _loop.Receive(socket, into, operation);

    /// <inheritdoc/>
    public void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation) =>
        _loop.Send(socket, from, operation);

    /// <inheritdoc/>
    public void StartTimer(long deadlineNs, IoOperation operation) => _loop.StartTimer(deadlineNs, operation);

    /// <inheritdoc/>
    public void CancelTimer(IoOperation operation) => _loop.CancelTimer(operation);

    /// <inheritdoc/>
    public void Post(Action action) => _loop.Post(action);

    /// <inheritdoc/>
    public void Run() => _loop.Run();

    /// <inheritdoc/>
    public void Stop() => _loop.Stop();

    /// <summary>Null when the disk takes no operation: then the user hears so in a later turn.</summary>
    private WatchedOperation? Begin(IDisk disk, IoBuffer? buffer, IoOperation operation, OperationKind kind)
    {
        operation.Begin(kind);
        if (GivenUp > 0 && _givenUp.ContainsKey(disk))
        {
            Refuse(operation);
            return null;
        }

        if (_pending.Count == 0)
        {
            _begins?.Invoke();
        }

        WatchedOperation watched = _free.TryPop(out WatchedOperation? free) ? free : new WatchedOperation(_ended);
        watched.User = operation;
        watched.Disk = disk;
        watched.Buffer = buffer;
        watched.Ticks = 0;
        watched.Index = _pending.Count;
        _pending.Add(watched);
        return watched;
    }

    /// <summary>A method of its own: its closure would be made for each operation.</summary>
    private void Refuse(IoOperation operation) => _loop.Post(() => operation.Complete(-Errno.ETIMEDOUT));

    private void Ended(IoOperation inner)
    {
        var watched = (WatchedOperation)inner.State!;
        IoOperation? user = watched.User;
        IDisk disk = watched.Disk!;
        if (user is not null)
        {
            RemovePending(watched);
        }

        watched.User = null;
        watched.Disk = null;
        watched.Buffer = null;
        _free.Push(watched);
        if (user is not null)
        {
            user.Complete(inner.Result, isHole: inner.IsHole);
            return;
        }

        GivenUp--;
        if (--_givenUp[disk] == 0)
        {
            _givenUp.Remove(disk);
        }
    }

    private void GiveUp(IDisk disk)
    {
        List<IoOperation> users = [];
        for (int i = _pending.Count - 1; i >= 0; i--)
        {
            WatchedOperation watched = _pending[i];
            if (watched.Disk != disk)
            {
                continue;
            }

            RemovePending(watched);
            users.Add(watched.User!);
            watched.User = null;
            watched.Buffer?.ReplaceMemory();
            watched.Buffer = null;
        }

        GivenUp += users.Count;
        _givenUp[disk] = _givenUp.GetValueOrDefault(disk) + users.Count;

        // In the order of submission, as far as it is known.
        users.Reverse();
        users.ForEach(user => user.Complete(-Errno.ETIMEDOUT));
    }

    private void RemovePending(WatchedOperation watched)
    {
        WatchedOperation last = _pending[^1];
        _pending[watched.Index] = last;
        last.Index = watched.Index;
        _pending.RemoveAt(_pending.Count - 1);
    }
}
