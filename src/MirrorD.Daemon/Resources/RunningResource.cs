using Microsoft.Extensions.Logging;
using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Core.Failover;
using MirrorD.Daemon.Arbitration;
using MirrorD.Daemon.Devices;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.History;
using MirrorD.Daemon.Logging;
using MirrorD.Daemon.Memory;
using MirrorD.Daemon.Reports;
using MirrorD.Daemon.Security;
using MirrorD.Daemon.Startup;
using MirrorD.Daemon.Storage;
using MirrorD.Daemon.Takeover;
using MirrorD.Daemon.Watch;
using MirrorD.Engine.Control;
using MirrorD.Engine.Latency;
using MirrorD.Engine.Replication;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Memory;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// One resource of this daemon: its loop on a thread of its own, its engine, and the steps around its role. A
/// resource that can't start leaves the others alone and says why in the status.
/// </summary>
internal sealed partial class RunningResource : IResourceOwner
{
    private readonly NodeContext _context;
    private readonly ResourceConfiguration _resource;
    private readonly EventLog _events;
    private readonly TakeoverHistory _history;
    private readonly ChangeSignal _changes;
    private readonly ILogger _logger;
    private readonly ArbiterClaims? _arbiter;
    private readonly WatchThread _watch;
    private readonly HeldAddresses _addresses;
    private readonly NeighbourQuestions _questions;
    private readonly HookRunner _hooks;
    private readonly KernelNbd _kernel;
    private readonly ResourceDevices _devices;
    private readonly LastVerifyFile _lastVerify;
    private ScheduledVerify? _scheduledVerify;
    private long _verifyEndedNs = -1;

    private LinuxLoop? _loop;
    private Thread? _thread;
    private ResourceHost? _host;
    private ReplicatedResource? _engine;
    private volatile ResourceExports? _exports;
    private volatile ResourceStatus? _status;
    private volatile StartFailure? _failure;
    private volatile string? _linkProblem;

    /// <summary>Makes the resource; nothing is opened yet.</summary>
    public RunningResource(
        NodeContext context, ResourceConfiguration resource, ArbiterClaims? arbiter, WatchThread watch,
        KernelNbd kernel, EventLog events, TakeoverHistory history, ChangeSignal changes, ILoggerFactory loggers)
    {
        _context = context;
        _resource = resource;
        _arbiter = arbiter;
        _watch = watch;
        _kernel = kernel;
        _events = events;
        _history = history;
        _changes = changes;
        _logger = loggers.CreateLogger("mirrord.resource");
        _addresses = new HeldAddresses(
            resource.On[context.Name].Addresses,
            Path.Combine(context.RunDirectory, resource.Name, "held-addresses"), RaiseEvent);
        _questions = new NeighbourQuestions(
            resource.On[context.Name].Addresses, resource.AddressProbe,
            context.Configuration.Nodes[context.Name].Production);
        _hooks = new HookRunner(resource.Name, context.Name, resource.Hooks, (step, line) =>
            ResourceLog.HookOutput(_logger, resource.Name, step.NameOf(), line));
        _lastVerify = new LastVerifyFile(
            Path.Combine(context.State.Path, $"verify-{resource.Name}.json"),
            failed => ResourceLog.SequenceFailed(_logger, resource.Name, failed));
        _devices = new ResourceDevices(
            resource.BlockDevices == BlockDevices.None ? [] : [.. resource.On[context.Name].Volumes.Select(Device)],
            problem => RaiseEvent("device-failed", problem));
    }

    public string Name => _resource.Name;

    public ResourceConfiguration Configuration => _resource;

    private PeerWatch? PeerWatch => _watch.Over(_resource.PeerOf(_context.Name));

    /// <summary>Runs a command of an operator, with the steps around the role.</summary>
    public Task<CommandOutcome> Command(ResourceCommand command)
    {
        if (_failure is { } failure)
        {
            return Task.FromResult(new CommandOutcome(false, failure.Problem, failure.Remedy));
        }

        var answered = new TaskCompletionSource<CommandOutcome>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        _engine!.Command(command, outcome => answered.TrySetResult(outcome));
        return answered.Task;
    }

    /// <summary>What its clients have asked for, by volume; any thread. Nothing while it does not run.</summary>
    public IReadOnlyList<VolumeLoad> Loads => _engine?.Loads ?? [];

    /// <summary>What the status shows of this resource.</summary>
    public ResourceReport Report()
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        AddressReport[] addresses =
        [
            .. _resource.On[_context.Name].Addresses.Select(address => new AddressReport
            {
                Address = $"{address.Address}/{address.PrefixLength}",
                Interface = address.Interface,
                Held = _addresses.IsHeld(address),
            }),
        ];
        if (_failure is { } failure)
        {
            return ReportBuilder.Failed(
                _resource, _context.Name, addresses, failure.State, failure.Problem, failure.Remedy, failure.At) with
            {
                NextVerifyAt = _scheduledVerify?.Next,
            };
        }

        ResourceStatus status = _status ?? _engine!.Status;
        string? Export(string volume) =>
            _exports?.IsOpen == true ? _context.ExportSocket(Name, volume) : null;
        string? Copy(string volume) => status.IsCopyOpen ? _context.CopySocket(Name, volume) : null;
        ResourceReport report =
            ReportBuilder.Of(status, addresses, Export, Copy, _devices.PathOf, _loop!.NowNs, now);
        return report with
        {
            Verify = VerifyReports.Of(
                status, _context.Name, ns => now - TimeSpan.FromTicks((_loop!.NowNs - ns) / TimeSpan.NanosecondsPerTick))
                ?? _lastVerify.Last,
            NextVerifyAt = _scheduledVerify?.Next,
            LinkProblem = _linkProblem,
            HoldUp = report.HoldUp is { State: "Disconnected" } holdUp ? holdUp with { Since = DisconnectedSince ?? holdUp.Since }
                : report.HoldUp,
            Autoswitch = _resource.Autoswitch,
            AutoswitchNote = _resource.AutoswitchOffReason,
            AloneSince = _events.FirstTime(Name, "alone", endedBy: "joined"),
            OutdatedSince = status.DiskState == DiskState.Outdated
                ? _events.LastTime(Name, "outdated", endedBy: "joined")
                : null,
        };
    }

    /// <summary>Also when that was in an earlier run of this daemon.</summary>
    private DateTimeOffset? DisconnectedSince => _events.FirstTime(Name, "disconnected", endedBy: "connecting")
        ?? _events.FirstTime(Name, "peer-disconnected", endedBy: "joined");

    private (string Volume, IVolumeDevice Device) Device(VolumeConfiguration volume, int index) =>
        (volume.Name, new NbdVolumeDevice(
            DeviceBackend.Of(Name, volume.Name), () => _engine!.Frontend(index), _kernel, () => _loop!,
            isRequired: _resource.BlockDevices == BlockDevices.Nbd,
            (connection, ended) => _exports!.Serve(index, connection, ended), () => _devices.Lost(volume.Name)));

    private ResourceOptions Options(IReadOnlyList<VolumeOptions> volumes)
    {
        string peer = _resource.PeerOf(_context.Name);
        NetworkConfiguration here = _resource.On[_context.Name].Link;
        NetworkConfiguration there = _resource.On[peer].Link;
        return new ResourceOptions
        {
            Name = Name,
            NodeName = _context.Name,
            Node = _context.Id,
            Boot = _context.Boot,
            PeerName = peer,
            Volumes = volumes,
            Listen = new TcpEndpoint(here.Address, here.Port, here.Interface),
            Connect = new TcpEndpoint(there.Address, there.Port, here.Interface, here.Address),
            Security = new TlsLinkSecurity(_context.Security, _loop!, peer),
            Encrypts = _resource.Replication.Encrypts,
            OnPeerLoss = _resource.OnPeerLoss switch
            {
                PeerLossPolicy.Auto => PeerLoss.Auto,
                PeerLossPolicy.Freeze => PeerLoss.Freeze,
                PeerLossPolicy.Continue => PeerLoss.Continue,
            },
            Autoswitch = _resource.Autoswitch,
            TakeoverDelayMs = _resource.TakeoverDelayMs,
            OutdateTimeoutMs = _resource.OutdateTimeoutMs,
            FollowsProduction = _resource.PreferConnectedNode == PreferConnectedNode.Auto,
            IsPreferred = _resource.PreferredPrimary is { } preferred ? preferred == _context.Name : null,
            ReleaseTimeoutMs = _resource.ReleaseTimeoutMs,
            LinkTimeoutMs = _resource.LinkTimeoutMs,
            DeadAfterMs = _context.Configuration.Heartbeat.DeadAfterMs,
            DiskTimeoutMs = _resource.DiskTimeoutMs,
            SlotMemory = MappedMemory.Instance,
            ResyncBytesPerSecond = _resource.ResyncBytesPerSecond,
            ResyncFloorBytesPerSecond = _resource.ResyncFloorBytesPerSecond,
            ResyncByChecksum = _resource.Replication.ResyncByChecksum,
            VerifyBytesPerSecond = _resource.Replication.VerifyBytesPerSecond,
            Mode = Modes.Of(_resource.Replication.Mode),
            SplitBrainPolicy = Modes.Of(_resource.SplitBrain),
            AsyncBufferBytes = _resource.Replication.AsyncBufferBytes,
            AsyncLagMs = _resource.Replication.AsyncLagMs,
        };
    }

    /// <summary>On the loop, when the metadata was read.</summary>
    private void Loaded(string? problem)
    {
        if (problem is not null)
        {
            Fail(
                problem,
                $"see 'mirrorctl inspect'; new volumes are prepared with 'mirrorctl create {Name} …'");
            return;
        }

        try
        {
            RunDirectory.MakeForGroup(Path.Combine(_context.RunDirectory, Name));
            var log = new NbdEventLog(_logger, Name, () => _loop!.NowNs);
            _exports = ResourceExports.Start(
                _loop!,
                [.. _resource.On[_context.Name].Volumes.Select((volume, index) =>
                    (_context.ExportSocket(Name, volume.Name), _engine!.Frontend(index)))],
                log.Add, withTcp: _resource.NbdTcp is not null);
            _host!.Exports = _exports;
            StartTcp(_exports, log);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Fail(
                $"the sockets of its volumes can't be made: {failed.Message.TrimEnd('.')}",
                $"see what is in the way at {Path.Combine(_context.RunDirectory, Name)}, or whether its file system is full, "
                + "then restart mirrord");

            // It could serve nobody: a role that it took would be one for nothing. What an earlier daemon left waits on.
            _engine!.Command(
                new ResourceCommand.Stop(), outcome => ResourceLog.Stopped(_logger, Name, outcome.Message));
        }
    }

    private void StartTcp(ResourceExports exports, NbdEventLog log)
    {
        if (_resource.NbdTcp is { } tcp)
        {
            exports.StartTcp(tcp, _context.Security, log.Add);
            _context.Security.Revoked += () => _loop!.Post(
                () => exports.CloseRevoked(key => _context.Security.Trust.IsRevoked(key)));
        }
    }

    private void RunLoop()
    {
        try
        {
            _loop!.Run();
        }
        catch (Exception failed)
        {
            // A rule of the program was broken: going on would risk data. The addresses go before the process
            // does.
            ResourceLog.LoopFailed(_logger, Name, failed);
            _addresses.Release().Wait(TimeSpan.FromSeconds(1));
            LogSetup.Flush();
            Mono.Unix.Native.Stdlib._Exit(ExitCodes.Broken);
        }
    }
}
