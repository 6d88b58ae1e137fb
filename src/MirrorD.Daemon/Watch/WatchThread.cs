using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Configuration.NodeState;
using MirrorD.Core.Failover;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Reports;
using MirrorD.Daemon.Startup;
using MirrorD.Engine.Control;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Memory;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Watch;

/// <summary>
/// One thread and one loop that watch all nodes with which this one shares a resource. It depends on no resource's
/// loop and on nothing of the control plane, so that neither can make this node look dead.
/// </summary>
internal sealed class WatchThread : IPathReports
{
    /// <summary>Limit of <see cref="Stop"/>.</summary>
    public static readonly TimeSpan StopWait = TimeSpan.FromSeconds(1);

    /// <summary>A loop that does not answer for so long stands still: its watch sends nothing either.</summary>
    private static readonly TimeSpan s_rekeyLimit = TimeSpan.FromSeconds(5);

    private readonly NodeContext _context;
    private readonly EventLog _events;
    private readonly ChangeSignal _changes;
    private readonly ILogger _logger;
    private readonly Action _ending;
    private readonly LinuxLoop _loop;
    private readonly Dictionary<string, PeerWatch> _watches = new(StringComparer.Ordinal);
    private readonly Thread _thread;

    /// <summary>Makes the watches; <see cref="Start"/> starts them.</summary>
    /// <param name="context">This node.</param>
    /// <param name="events">Where changes are told.</param>
    /// <param name="changes">Signalled when a path changes.</param>
    /// <param name="loggers">Loggers.</param>
    /// <param name="ending">
    /// Called when the watch can't go on and the process ends: what must not outlive it.
    /// </param>
    public WatchThread(
        NodeContext context, EventLog events, ChangeSignal changes, ILoggerFactory loggers, Action ending)
    {
        _context = context;
        _events = events;
        _changes = changes;
        _logger = loggers.CreateLogger("mirrord.watch");
        _ending = ending;
        _loop = context.Loops.Create();
        _thread = new Thread(Run) { IsBackground = true, Name = "watch" };
        foreach (string peer in context.Configuration.ResourcesOf(context.Name)
            .Select(resource => resource.PeerOf(context.Name)).Distinct().Order(StringComparer.Ordinal))
        {
            WatchPath[] paths = [.. PathsTo(context.Configuration, context.Name, peer)];
            if (paths.Length == 0)
            {
                WatchLog.NoPath(_logger, peer);
            }
            else
            {
                _watches.Add(peer, new PeerWatch(_loop, Options(peer, paths)));
            }
        }
    }

    /// <summary>
    /// Every pair of networks of the same kind and place of both nodes, of one address family.
    /// </summary>
    internal static IEnumerable<WatchPath> PathsTo(ClusterConfiguration cluster, string own, string peer)
    {
        foreach (NetworkPair pair in NetworkPair.Of(cluster.Nodes[own], cluster.Nodes[peer]))
        {
            if (pair.Own is { } here)
            {
                PathKind kind = pair.IsDedicated ? PathKind.Dedicated : PathKind.Production;
                var ends = new UdpEndpoint(
                    here.Address, here.HeartbeatPort, pair.There.Address, pair.There.HeartbeatPort, here.Interface);
                yield return new WatchPath($"{NameOf(kind)} {here.Address}", kind, pair.Place, ends);
            }
        }
    }

    /// <summary>The watch over a peer; null when there is no path to it. Any thread.</summary>
    public PeerWatch? Over(string peer) => _watches.GetValueOrDefault(peer);

    /// <summary>Opens the sockets and begins.</summary>
    public void Start()
    {
        _context.Keys.Changed = Rekey;
        foreach (PeerWatch watch in _watches.Values)
        {
            watch.Start();
        }

        Watchdog.Start(_loop);
        _thread.Start();
    }

    /// <summary>Ends when all that was to be sent was sent, or after a second.</summary>
    public async Task Stop()
    {
        Task[] stopping = [.. _watches.Values.Select(watch =>
        {
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            watch.Stop(stopped.SetResult);
            return stopped.Task;
        })];
        Task all = Task.WhenAll(stopping);
        if (await Task.WhenAny(all, Task.Delay(StopWait)) != all)
        {
            WatchLog.StopTimedOut(_logger, (int)StopWait.TotalMilliseconds);
        }

        _loop.Stop();
    }

    /// <summary>Has all watches use the keys; returns when they do, so that nobody is told so before.</summary>
    private void Rekey(ClusterKeys keys)
    {
        // Not disposed: a watch that is late must find it.
        var done = new CountdownEvent(_watches.Count + 1);
        foreach (PeerWatch watch in _watches.Values)
        {
            watch.Rekey(keys.Sending, keys.Accepted, () => done.Signal());
        }

        done.Signal();
        done.Wait(s_rekeyLimit);
    }

    public IReadOnlyList<PathReport> Paths()
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        long nowNs = _loop.NowNs;
        DateTimeOffset At(long ns) => now - TimeSpan.FromMilliseconds((nowNs - ns) / 1_000_000);
        return
        [
            .. _watches.Values.SelectMany(watch => watch.Report().Select(path => new PathReport
            {
                Peer = watch.PeerName,
                Network = path.Path.Endpoint.LocalAddress.ToString(),
                Kind = NameOf(path.Path.Kind),
                State = NameOf(path.Sight.State),
                Since = At(path.Sight.SinceNs),
                LastHeardMs = path.HeardNs is { } heard ? Math.Max(0, nowNs - heard) / 1_000_000 : null,
            })),
        ];
    }

    private static string NameOf(PathKind kind) => kind switch
    {
        PathKind.Dedicated => "dedicated",
        PathKind.Production => "production",
    };

    private static string NameOf(Core.Failover.PathState state) => state switch
    {
        Core.Failover.PathState.Unknown => Api.PathState.Unknown,
        Core.Failover.PathState.Up => Api.PathState.Up,
        Core.Failover.PathState.HeardOnly => Api.PathState.HeardOnly,
        Core.Failover.PathState.Lost => Api.PathState.Lost,
    };

    private PeerWatchOptions Options(string peer, WatchPath[] paths) => new()
    {
        NodeName = _context.Name,
        Node = _context.Id,
        Boot = _context.Boot,
        PeerName = peer,
        Key = _context.Keys.Datagrams.Sending,
        AcceptedKey = _context.Keys.Datagrams.Accepted,
        Paths = paths,
        IntervalMs = _context.Configuration.Heartbeat.IntervalMs,
        DeadAfterMs = _context.Configuration.Heartbeat.DeadAfterMs,
        NewIdentifier = RandomIdentifier.New,
        Raise = Raise,
        Changed = _changes.Changed,
    };

    private void Raise(string? resource, ResourceEvent happened)
    {
        WatchLog.Happened(_logger, EventClasses.LevelOf(happened.Kind), happened.Kind, happened.Message);
        _events.Add(resource, happened.Kind, happened.Message);
        _changes.Changed();
    }

    private void Run()
    {
        // Heartbeats also go when programs take all processors, or all memory. It has little to do.
        if (RealtimeThread.Keep() is { } ordinary)
        {
            DaemonLog.OrdinaryPriority(_logger, ordinary);
        }

        try
        {
            _loop.Run();
        }
        catch (Exception failed)
        {
            // Without a watch the resources would decide by what was seen last: that is worse than an end.
            WatchLog.LoopFailed(_logger, failed);
            _ending();
            LogSetup.Flush();
            Mono.Unix.Native.Stdlib._Exit(ExitCodes.Broken);
        }
    }
}
