using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Daemon.Arbitration;
using MirrorD.Daemon.Devices;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.History;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Memory;
using MirrorD.Daemon.Metrics;
using MirrorD.Daemon.Notifications;
using MirrorD.Daemon.Reports;
using MirrorD.Daemon.Resources;
using MirrorD.Daemon.Security;
using MirrorD.Daemon.Startup;
using MirrorD.Daemon.Watch;
using MirrorD.Io.Linux.NbdDevices;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Control;

/// <summary>All resources of this node, as the control API sees them.</summary>
internal sealed class MirrorDaemon
{
    // A claim that hangs longer is answered as unreachable, and repeated by the engine.
    private static readonly TimeSpan s_arbiterDeadline = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, RunningResource> _resources;
    private readonly WatchThread _watch;
    private readonly ShortagePriority _priority;
    private readonly KernelNbd _kernel;
    private readonly ILogger _logger;
    private ExpiryWarning? _expiry;
    private readonly DateTimeOffset _startedAt = DateTimeOffset.UtcNow;

    /// <summary>Makes the resources of the node; <see cref="Start"/> starts them.</summary>
    public MirrorDaemon(
        NodeContext context, EventLog events, TakeoverHistory history, ILoggerFactory loggers)
        : this(context, events, history, loggers, new KernelNbd(loggers.CreateLogger("mirrord.device")))
    {
    }

    /// <summary>The same with another driver of block devices.</summary>
    internal MirrorDaemon(
        NodeContext context, EventLog events, TakeoverHistory history, ILoggerFactory loggers, KernelNbd kernel)
    {
        Context = context;
        Events = events;
        History = history;
        Notifier = new Notifier(
            context.Configuration.Notify, context.Name, events,
            name => Find(name) is { } resource ? ReportBuilder.InWords(resource.Report()) : null,
            loggers.CreateLogger("mirrord.notify"));
        ArbiterClaims? arbiter = context.Configuration.Arbiter is { } configured
            ? new ArbiterClaims(new SharedDirectory(configured.Directory).Claim, s_arbiterDeadline)
            : null;
        _kernel = kernel;
        _logger = loggers.CreateLogger("mirrord");
        _priority = new ShortagePriority(_logger);
        _watch = new WatchThread(context, events, Changes, loggers, ReleaseAddresses);
        _resources = context.Configuration.ResourcesOf(context.Name).ToDictionary(
            resource => resource.Name,
            resource => new RunningResource(
                context, resource, arbiter, _watch, _kernel, events, history, Changes, loggers),
            StringComparer.Ordinal);
    }

    /// <summary>Version of this program.</summary>
    public static string Version =>
        typeof(MirrorDaemon).Assembly.GetName().Version is { } version
            ? $"{version.Major}.{version.Minor}.{version.Build}"
            : "unknown";

    public NodeContext Context { get; }

    public EventLog Events { get; }

    public TakeoverHistory History { get; }

    /// <summary>Tells people of what happens.</summary>
    public Notifier Notifier { get; }

    /// <summary>Who knows the paths to the other nodes.</summary>
    public IPathReports Paths => _watch;

    /// <summary>Signals each change of the status.</summary>
    public ChangeSignal Changes { get; } = new();

    public IReadOnlyCollection<RunningResource> Resources => _resources.Values;

    public RunningResource? Find(string name) => _resources.GetValueOrDefault(name);

    public void Start()
    {
        _priority.Start();
        _watch.Start();
        PrepareDevices();
        foreach (RunningResource resource in _resources.Values)
        {
            resource.Start();
        }

        Notifier.Start();
        Context.Security.Warn = problem => DaemonLog.Note(_logger, problem);
        _expiry = new ExpiryWarning(Context.Security, TimeProvider.System, text => Tell("certificate-expires", text));
    }

    /// <summary>Planned stop of all resources at once.</summary>
    public async Task Stop(bool hostStops, TimeSpan wait)
    {
        await Task.WhenAll(_resources.Values.Select(resource => resource.Stop(hostStops, wait)));
        await _watch.Stop();
        _expiry?.Dispose();
        _priority.Dispose();
        await Notifier.DisposeAsync();
    }

    /// <summary>
    /// The next daemon goes on with everything; nobody is told of a stop. When this ends the loops stand still while
    /// connections and heartbeats still look alive: the process has to end at once, or the peer takes this node for stuck.
    /// </summary>
    /// <param name="endControl">Ends what else takes time, while everything is served.</param>
    /// <param name="wait">Limit for requests to be answered.</param>
    public async Task Suspend(Func<Task> endControl, TimeSpan wait)
    {
        await Task.WhenAll(endControl(), Notifier.DisposeAsync().AsTask());
        await Task.WhenAll(_resources.Values.Select(resource => resource.Finish(wait)));

        // None before the others: it would stand still for as long as they take.
        foreach (RunningResource resource in _resources.Values)
        {
            resource.StopLoop();
        }
    }

    public StatusReport Status() => new()
    {
        Node = Context.Name,
        NodeId = Context.Id.Value,
        Version = Version,
        StartedAt = _startedAt,
        Resources = [.. _resources.Values.Select(resource => resource.Report())],
        Paths = Paths.Paths(),
    };

    /// <summary>What clients have asked for, and where the time went.</summary>
    public LoadReport Load() => new()
    {
        Node = Context.Name,
        StartedAt = _startedAt,
        AtMicroseconds = (long)TimeProvider.System.GetElapsedTime(0).TotalMicroseconds,
        Volumes =
        [
            .. _resources.Values.SelectMany(
                resource => resource.Loads.Select(load => LoadReports.Of(resource.Name, load))),
        ],
    };

    /// <summary>All of it as Prometheus wants it.</summary>
    public string Metrics() => MetricsPage.Of(
        Status(), Load(), [.. _resources.Keys.SelectMany(History.CountsOf)], HeapCounts.Now());

    /// <summary>Loads the driver now, so that a takeover need not, and takes away what nobody will serve again.</summary>
    private void PrepareDevices()
    {
        RunningResource[] wanting =
        [
            .. _resources.Values.Where(resource => resource.Configuration.BlockDevices != BlockDevices.None),
        ];
        if (wanting.Length > 0)
        {
            _kernel.Begin(
                [.. wanting.Select(resource => resource.Name)], Context.State.Path, Context.IoFlusherProblem,
                Context.Loops);
        }

        if (_kernel.MayHaveDevices)
        {
            HashSet<string> claimed =
            [
                .. wanting.SelectMany(resource => resource.Configuration.On[Context.Name].Volumes
                    .Select(volume => DeviceBackend.Of(resource.Name, volume.Name))),
            ];
            _ = new OrphanDevices(_kernel, Tell).TakeAway(claimed);
        }
    }

    private void Tell(string kind, string message)
    {
        DaemonLog.Happened(_logger, EventClasses.LevelOf(kind), kind, message);
        Events.Add(null, kind, message);
    }

    /// <summary>The process ends at once: addresses must not outlive it.</summary>
    private void ReleaseAddresses() => Task.WaitAll(
        [.. _resources.Values.Select(resource => resource.ReleaseAddresses())], TimeSpan.FromSeconds(1));

    public ExplainReport Explain(RunningResource resource) => Explanation.Of(
        resource.Report(), resource.Configuration, Context.Configuration, Context.Name, Paths.Paths());
}
