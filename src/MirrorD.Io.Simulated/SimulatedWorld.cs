using System.Net;

namespace MirrorD.Io.Simulated;

/// <summary>
/// A deterministic world of nodes, disks and a network, run in one thread from one seed. Everything that
/// happens is an event at a virtual time; events of the same time are ordered by a tie-break drawn from the
/// seed. The same seed and the same calls give the same history (<see cref="Fingerprint"/>).
/// </summary>
public sealed class SimulatedWorld
{
    private readonly PriorityQueue<SimulatedEvent, EventOrder> _events = new();
    private readonly Dictionary<string, SimulatedNode> _nodes = [];
    private readonly List<SimulatedLoop> _loops = [];
    private readonly object _postGate = new();
    private int _postsWaiting;
    private ulong _eventNumber;

    /// <summary>Makes an empty world.</summary>
    public SimulatedWorld(ulong seed)
    {
        Random = new SeededRandom(seed);
        Network = new SimulatedNetwork(this);
    }

    /// <summary>The world's own randomness; whoever draws from it changes the history.</summary>
    public SeededRandom Random { get; }

    /// <summary>Links between nodes.</summary>
    public SimulatedNetwork Network { get; }

    /// <summary>Virtual time since the world began, in nanoseconds.</summary>
    public long NowNs { get; private set; }

    /// <summary>Events run so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Hash of all events run so far: equal in two runs of the same seed.</summary>
    public ulong Fingerprint { get; private set; } = 14695981039346656037;

    /// <summary>Receives one line per noteworthy happening, when set.</summary>
    public Action<string>? Trace { get; set; }

    /// <summary>
    /// Starts a process on a node (made when its name is new; switched on when it was off) and gives its
    /// loop.
    /// </summary>
    public SimulatedLoop CreateLoop(string node)
    {
        SimulatedNode host = Node(node);
        host.SwitchOn();
        var loop = new SimulatedLoop(this, host);
        host.Loops.Add(loop);
        _loops.Add(loop);
        return loop;
    }

    /// <summary>
    /// Makes a disk of a node; it outlives the node's processes and keeps what it made durable.
    /// </summary>
    public SimulatedDisk CreateDisk(string node, string name, long lengthBytes, int logicalBlockBytes = 512)
    {
        var disk = new SimulatedDisk(this, name, lengthBytes, logicalBlockBytes);
        Node(node).Disks.Add(disk);
        return disk;
    }

    /// <summary>Gives a node an address on a network, which is made when its name is new.</summary>
    public void AddAddress(
        string node, IPAddress address, string network = SimulatedNetwork.DedicatedName) =>
        Network.AddAddress(Node(node), address, network);

    /// <summary>
    /// Switches a host on without starting a process there: a gateway, or a node whose daemon does not run.
    /// </summary>
    public void SwitchOn(string node) => Node(node).SwitchOn();

    /// <summary>
    /// Kills the processes of a node (kill -9): operations in flight land wholly, partly or not at all,
    /// nothing that completed is lost, connections end with EOF or reset.
    /// </summary>
    public void CrashProcess(string node)
    {
        SimulatedNode host = Node(node);
        Note($"{node}: process killed");
        KillLoops(host, loop => Network.ProcessDied(loop));
    }

    /// <summary>
    /// Cuts the power of a node: processes end, unflushed sectors are kept or lost each by itself,
    /// connections fall silent. The node stays off until <see cref="CreateLoop"/>.
    /// </summary>
    public void PowerCut(string node)
    {
        SimulatedNode host = Node(node);
        Note($"{node}: power cut");
        KillLoops(host, loop => Network.PowerLost(loop));
        host.IsOn = false;
        foreach (SimulatedDisk disk in host.Disks)
        {
            disk.PowerCut();
        }
    }

    /// <summary>
    /// The processes of a node do nothing for a while (SIGSTOP, SIGCONT): what completes meanwhile is
    /// delivered afterwards, in its order.
    /// </summary>
    public void Pause(string node, long durationNs)
    {
        Note($"{node}: paused for {durationNs / 1_000_000} ms");
        foreach (SimulatedLoop loop in Node(node).Loops)
        {
            loop.PausedUntilNs = Math.Max(loop.PausedUntilNs, NowNs + durationNs);
        }
    }

    /// <summary>One loop of a process stands still for a while, as when it hangs in a call; its others go on.</summary>
    public void Pause(SimulatedLoop loop, long durationNs)
    {
        Note($"{loop.Node.Name}: a loop stands still for {durationNs / 1_000_000} ms");
        loop.PausedUntilNs = Math.Max(loop.PausedUntilNs, NowNs + durationNs);
    }

    /// <summary>
    /// CLOCK_BOOTTIME of a host shifts forward, as after a suspend: timers and time limits of connects that
    /// are due by it end now, in the order of their deadlines; the others come earlier by as much.
    /// </summary>
    /// <param name="node">The host.</param>
    /// <param name="deltaNs">Not negative: that clock never goes back.</param>
    public void JumpClock(string node, long deltaNs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(deltaNs);
        Note($"{node}: clock jumps by {deltaNs / 1_000_000} ms");
        SimulatedNode host = Node(node);
        host.JumpClock(deltaNs);
        (SimulatedEvent Element, EventOrder Order)[] all = [.. _events.UnorderedItems];
        _events.Clear();
        foreach ((SimulatedEvent each, EventOrder order) in all)
        {
            // What is overdue by this keeps its time in the past, and with it the order of deadlines.
            long earlierNs = each.IsTimer && each.Node == host ? deltaNs : 0;
            _events.Enqueue(each, order with { TimeNs = order.TimeNs - earlierNs });
        }
    }

    /// <summary>Runs an action of the simulator itself after so many nanoseconds.</summary>
    public void Schedule(long delayNs, Action action) => Add(null, delayNs, action);

    /// <summary>Runs the next event; false when nothing is left to happen.</summary>
    public bool Step()
    {
        TakePosts();
        while (_events.TryDequeue(out SimulatedEvent? next, out EventOrder order))
        {
            if (next.IsVoid)
            {
                continue;
            }

            if (next.PausedUntilNs > order.TimeNs)
            {
                ulong inItsOrder = (ulong)order.TimeNs - unchecked((ulong)long.MinValue);
                _events.Enqueue(next, new EventOrder(next.PausedUntilNs, inItsOrder, order.Number));
                continue;
            }

            NowNs = Math.Max(NowNs, order.TimeNs);
            Steps++;
            Fingerprint = (Fingerprint ^ (ulong)order.TimeNs ^ order.Tie) * 1099511628211;
            next.Run();
            return true;
        }

        return false;
    }

    /// <summary>
    /// Runs events until the condition holds; false when the virtual time limit passed before, or nothing is
    /// left.
    /// </summary>
    public bool RunUntil(Func<bool> condition, long limitNs)
    {
        long endNs = NowNs + limitNs;
        while (!condition())
        {
            TakePosts();
            if (!_events.TryPeek(out SimulatedEvent? next, out EventOrder order))
            {
                return false;
            }

            if (next.IsVoid)
            {
                _events.Dequeue();
            }
            else if (order.TimeNs > endNs)
            {
                NowNs = endNs;
                return false;
            }
            else
            {
                Step();
            }
        }

        return true;
    }

    internal SimulatedNode Node(string name)
    {
        if (!_nodes.TryGetValue(name, out SimulatedNode? node))
        {
            node = new SimulatedNode(name, Random);
            _nodes.Add(name, node);
        }

        return node;
    }

    /// <summary>The node of that name, if there is one.</summary>
    internal SimulatedNode? FindNode(string name) => _nodes.GetValueOrDefault(name);

    internal SimulatedEvent Add(SimulatedLoop? owner, long delayNs, Action action, bool isTimer = false)
    {
        var added = new SimulatedEvent(owner, action) { IsTimer = isTimer };
        ulong tie = Random.NextBits();
        _events.Enqueue(added, new EventOrder(NowNs + Math.Max(0, delayNs), tie, _eventNumber++));
        return added;
    }

    internal void Note(string line) => Trace?.Invoke($"{NowNs / 1000,12} us  {line}");

    internal void NotePost()
    {
        lock (_postGate)
        {
            _postsWaiting++;
            Monitor.PulseAll(_postGate);
        }
    }

    internal void WakeWaiters()
    {
        lock (_postGate)
        {
            Monitor.PulseAll(_postGate);
        }
    }

    /// <summary>
    /// Nothing is left to happen by itself: waits for another thread to post or to stop the loop.
    /// </summary>
    internal void WaitForOtherThreads(SimulatedLoop loop)
    {
        lock (_postGate)
        {
            while (_postsWaiting == 0 && !loop.StopRequested)
            {
                Monitor.Wait(_postGate);
            }
        }
    }

    private void TakePosts()
    {
        if (Volatile.Read(ref _postsWaiting) == 0)
        {
            return;
        }

        lock (_postGate)
        {
            _postsWaiting = 0;
        }

        foreach (SimulatedLoop loop in _loops)
        {
            loop.SchedulePosts();
        }
    }

    private void KillLoops(SimulatedNode host, Action<SimulatedLoop> endConnections)
    {
        foreach (SimulatedLoop loop in host.Loops)
        {
            loop.Die();
            endConnections(loop);
            foreach (SimulatedDisk disk in host.Disks)
            {
                disk.ProcessDied(loop);
            }

            _loops.Remove(loop);
        }

        host.Loops.Clear();
    }
}
