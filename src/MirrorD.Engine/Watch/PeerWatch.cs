using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats.Watch;
using MirrorD.Io;

namespace MirrorD.Engine.Watch;

/// <summary>
/// The watch over one peer: sends heartbeats over every path, hears the peer's, and carries control messages,
/// all over one loop (docs/internals/watch-protocol.md). Resources are told of every change at once; events
/// wait until a change has settled. Everything runs on the loop's thread, except where it says otherwise;
/// nothing is allocated per heartbeat.
/// </summary>
public sealed partial class PeerWatch : IPeerWatch
{
    /// <summary>
    /// The watch looks around this often, or twice an interval if that is more often: so soon a resource's
    /// change is told to the peer, and an extra heartbeat is never closer to the one before.
    /// </summary>
    public const long LongestTickNs = 50_000_000;

    private readonly IIoLoop _loop;
    private readonly PeerWatchOptions _options;
    private readonly PathTimes _times;
    private readonly long _tickNs;
    private readonly PathMonitor _monitor;
    private readonly PeerRuns _runs;
    private WatchKey _sendKey;
    private WatchKey _receiveKey;
    private WatchKey? _acceptedKey;
    private readonly ulong _instance;
    private readonly PathSocket[] _sockets;
    private readonly long[] _heardNs;
    private readonly List<WatchedResource> _resources = [];
    private readonly GarbageCount _garbage = new();
    private readonly IoOperation _tick;
    private long _lastTickNs;
    private bool _hasStarted;
    private Action? _stopped;

    /// <summary>Prepares the watch; nothing is opened yet.</summary>
    public PeerWatch(IIoLoop loop, PeerWatchOptions options)
    {
        _loop = loop;
        _options = options;
        _times = options.Times;
        _tickNs = Math.Min(LongestTickNs, _times.IntervalNs / 2);
        _monitor = new PathMonitor(
            options.PeerName, [.. options.Paths.Select(path => (path.Name, path.Kind))], _times, loop.NowNs);
        _runs = new PeerRuns(options.Paths.Count, options.NewIdentifier());
        (_sendKey, _receiveKey, _acceptedKey) = Keys(options.Key.Span, options.AcceptedKey);
        _instance = options.NewIdentifier();
        _sockets =
        [
            .. options.Paths.Select((path, i) =>
                new PathSocket(loop, path, i, Arrived, Refused, CannotOpen)),
        ];
        _heardNs = new long[_sockets.Length];
        _tick = new IoOperation(Ticked);
        Sights = _monitor.Sights;
    }

    /// <summary>Any thread: what is sent from now on has the first key; what arrives may have either.</summary>
    /// <param name="sending">Cluster key, 32 bytes.</param>
    /// <param name="accepted">Another one, or null.</param>
    /// <param name="done">Called on the loop's thread when it is so.</param>
    public void Rekey(byte[] sending, byte[]? accepted, Action done) => _loop.Post(() =>
    {
        (_sendKey, _receiveKey, _acceptedKey) = Keys(sending, accepted);
        done();
    });

    /// <summary>Name of the peer node.</summary>
    public string PeerName => _options.PeerName;

    /// <summary>The paths as last seen; any thread.</summary>
    public IReadOnlyList<PathSight> Sights { get; private set; }

    /// <summary>
    /// Any thread: each path, how it was last seen, and the loop time of its last heartbeat; null before the
    /// first.
    /// </summary>
    public IReadOnlyList<(WatchPath Path, PathSight Sight, long? HeardNs)> Report()
    {
        IReadOnlyList<PathSight> sights = Sights;
        return
        [
            .. _sockets.Select((socket, i) =>
                (socket.Path, sights[i],
                    Volatile.Read(ref _heardNs[i]) is var ns and not 0 ? ns : (long?)null)),
        ];
    }

    /// <summary>Datagrams that could not be used so far; on the loop's thread.</summary>
    public long GarbageDatagrams => _garbage.Total;

    /// <summary>Heartbeats sent so far, over all paths; on the loop's thread.</summary>
    public long HeartbeatsSent { get; private set; }

    /// <summary>Any thread: opens the sockets and begins.</summary>
    public void Start() => _loop.Post(() =>
    {
        _hasStarted = true;
        _lastTickNs = _loop.NowNs;
        Tick(_lastTickNs);
        _loop.StartTimer(_lastTickNs + _tickNs, _tick);
    });

    /// <summary>
    /// Any thread: heartbeats tell of this resource from now on, and it is told of the paths.
    /// </summary>
    public void Add(IWatchedResource resource) => _loop.Post(() =>
    {
        _resources.Add(new WatchedResource(resource));
        _extraWanted = true;
        Publish();
    });

    /// <summary>Any thread: heartbeats no longer tell of this resource: its loop is about to end.</summary>
    public void Remove(IWatchedResource resource) => _loop.Post(() =>
    {
        _resources.RemoveAll(each => each.Resource == resource);
        _extraWanted = true;
    });

    /// <summary>
    /// Any thread: what was to be sent before is sent, then all ends; <paramref name="stopped"/> is called on
    /// the loop's thread.
    /// </summary>
    public void Stop(Action stopped) => _loop.Post(() =>
    {
        _stopped = stopped;
        foreach (PathSocket socket in _sockets)
        {
            socket.End();
        }

        if (!_tick.IsPending)
        {
            EndIfIdle();
        }
    });

    private (WatchKey Send, WatchKey Receive, WatchKey? Accepted) Keys(ReadOnlySpan<byte> sending, byte[]? accepted) => (
        new WatchKey(sending, _options.NodeName, _options.PeerName),
        new WatchKey(sending, _options.PeerName, _options.NodeName),
        accepted is null ? null : new WatchKey(accepted, _options.PeerName, _options.NodeName));

    private void Ticked(IoOperation operation)
    {
        if (_stopped is not null)
        {
            EndIfIdle();
            return;
        }

        long now = _loop.NowNs;
        Tick(now);
        _loop.StartTimer(now + _tickNs, _tick);
    }

    private void Tick(long now)
    {
        NoticePause(now);

        // Longer than some ticks: the watch itself did not run.
        long passedNs = Math.Min(now - _lastTickNs, 4 * _tickNs);
        _lastTickNs = now;
        foreach (WatchedResource resource in _resources)
        {
            NoticeStuck(resource, passedNs);
            _extraWanted |= resource.TakeBeat();
        }

        foreach (PathSocket socket in _sockets)
        {
            socket.Tick(now);
        }

        if (_monitor.Tick(now) is { } told)
        {
            Raise(null, told.Kind, told.Message);
        }

        if (_garbage.Tell(PeerName, now) is { } garbage)
        {
            Raise(null, "watch-garbage", garbage);
        }

        SendHeartbeatsIfDue(now);
        Publish();
    }

    /// <summary>
    /// What waited in the sockets while this process stood still is old: none of it answers the new
    /// challenge.
    /// </summary>
    private void NoticePause(long now)
    {
        if (_monitor.StoodStill(now))
        {
            _runs.Renew(_options.NewIdentifier());
            _extraWanted = true;
        }
    }

    private void NoticeStuck(WatchedResource resource, long passedNs)
    {
        if (!resource.NoticeStuck(passedNs, _times.DeadAfterNs))
        {
            return;
        }

        _extraWanted = true;
        string name = resource.Resource.Name;
        resource.Resource.StuckChanged(resource.IsStuck);
        if (resource.IsStuck)
        {
            Raise(name, "resource-stuck",
                $"{name}: nothing has moved for {_options.DeadAfterMs / 1000.0:0.0} s, requests may hang.");
        }
        else
        {
            Raise(name, "resource-unstuck", $"{name}: moves again.");
        }
    }

    private void Publish()
    {
        if (!ReferenceEquals(Sights, _monitor.Sights))
        {
            Sights = _monitor.Sights;
            _options.Changed?.Invoke();
        }

        foreach (WatchedResource resource in _resources)
        {
            resource.Publish(_monitor);
        }
    }

    private void CannotOpen(PathSocket socket, string problem) => Raise(null, "path-problem",
        $"{socket.Path.Name} can't be used to watch {PeerName} and is tried again each second: {problem}");

    private void EndIfIdle()
    {
        if (!Array.TrueForAll(_sockets, socket => socket.IsIdle))
        {
            _loop.StartTimer(_loop.NowNs + _tickNs, _tick);
            return;
        }

        foreach (PathSocket socket in _sockets)
        {
            socket.Dispose();
        }

        _stopped!();
    }

    private void Raise(string? resource, string kind, string message) =>
        _options.Raise(resource, new ResourceEvent(_loop.NowNs, kind, message));
}
