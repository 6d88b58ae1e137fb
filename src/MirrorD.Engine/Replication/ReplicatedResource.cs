using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Core.Replication;
using MirrorD.Engine.Control;
using MirrorD.Engine.Disks;
using MirrorD.Engine.Latency;
using MirrorD.Engine.Link;
using MirrorD.Engine.Metadata;
using MirrorD.Engine.Takeover;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// One resource on one node: binds the replica to its disks, metadata, link and clients over one loop. Everything
/// runs on the loop's thread, except <see cref="Command"/> and <see cref="Status"/>.
/// </summary>
public sealed partial class ReplicatedResource : IDisposable
{
    private const int CopySlots = Limits.MostCopies;
    private const int ReadySlots = 4;
    private const int ReadyCopySlots = 1;
    private const int SlotBytes = PeerFrame.MaxDataBytes;

    private readonly IIoLoop _loop;
    private readonly ResourceOptions _options;
    private readonly IResourceHost _host;
    private readonly VolumeMetadataStore[] _stores;
    private readonly MirroredVolume?[] _volumes;
    private readonly PeerLink _link;
    private readonly RoleSequence _roles;
    private readonly BufferPool _copyBuffers;
    private readonly SendChunks _chunks;
    private Replica? _replica;
    private PeerConnection? _connection;
    private (AuthenticatedLink Link, bool IsConnector)? _next;
    private bool _isStopped;
    private string? _loadFailure;

    /// <summary>Prepares the resource; nothing is read yet.</summary>
    public ReplicatedResource(IIoLoop loop, ResourceOptions options, IResourceHost host)
    {
        _deadlines = options.DiskTimeoutMs <= 0 ? null
            : new DeadlineLoop(loop, (int)Math.Max(1, options.DiskTimeoutMs * 1_000_000L / TickNs), EndRest);
        _loop = _deadlines ?? loop;
        loop = _loop;
        _options = options;
        _host = host;
        Buffers = new BufferPool(options.BufferSlots, SlotBytes, ReadySlots, DoElsewhere, options.SlotMemory);
        _copyBuffers = new BufferPool(CopySlots, SlotBytes, ReadyCopySlots, DoElsewhere, options.SlotMemory);
        _chunks = new SendChunks(options.Mode == ReplicationMode.Async ? options.AsyncBufferBytes : 0);
        _stores = [.. options.Volumes.Select(v => new VolumeMetadataStore(loop, v))];
        _volumes = new MirroredVolume?[options.Volumes.Count];
        Loads = [.. options.Volumes.Select(volume => new VolumeLoad(volume.Name))];
        _localDone = LocalDone;
        _incomingDone = IncomingDone;
        _servedReadDone = ServedReadDone;
        _servedReadEnded = ServedReadEnded;
        _copyDone = CopyDone;
        _drainCompletions = DrainCompletions;
        _turnEnded = TurnEnded;
        _copySlotReturned = () => _loop.Post(CopySlotFree);
        _publish = PublishNow;
        _flushes = [.. options.Volumes.Select(_ => new IoOperation(FlushDone))];
        _logStored = [.. options.Volumes.Select((_, i) => (Action<int>)(error => LogStored(i, error)))];
        _tick = new IoOperation(Ticked);
        _restNs = RestNs(options);
        _link = new PeerLink(loop, options, host, peer => _replica!.Admits(peer), Connected);
        _roles = new RoleSequence(loop, options, host, this, Changed);
        Status = Picture();
    }

    /// <summary>Resource name.</summary>
    public string Name => _options.Name;

    /// <summary>Slots for requests' data and received data.</summary>
    public BufferPool Buffers { get; }

    /// <summary>The latest published picture; any thread.</summary>
    public ResourceStatus Status { get; private set; }

    /// <summary>Called on the loop when all volumes are loaded (null) or can't be used (why).</summary>
    public Action<string?>? Loaded { get; set; }

    /// <summary>Loads the metadata, then listens and connects.</summary>
    public void Start() => _loop.Post(() => Load(change: null, problem =>
    {
        if (problem is not null)
        {
            _loadFailure = problem;
            _host.Raise(new ResourceEvent(_loop.NowNs, "load-failed", $"{Name}: {problem}"));
        }
        else
        {
            StartTick(TickNs);
            _link.Tick();
        }

        Loaded?.Invoke(problem);
        if (problem is null && !_replica!.State.WasPrimary)
        {
            // The role was given up, or a join as Standby was ended, by a daemon that then died too soon.
            CloseLeftovers("the role was given up before");
        }

        Changed();
        AfterEvent();
    }));

    /// <summary>
    /// Reads what is stored and begins with it, or first stores a change of it; calls back with null, or why it
    /// can't be used.
    /// </summary>
    private void Load(Action<Superblock[], int[]>? change, Action<string?> loaded)
    {
        var loads = new MetadataLoad?[_stores.Length];
        int missing = loads.Length;
        for (int i = 0; i < loads.Length; i++)
        {
            int volume = i;
            _stores[i].Load(load =>
            {
                loads[volume] = load;
                if (--missing == 0)
                {
                    AllLoaded(loads!, change, loaded);
                }
            });
        }
    }

    /// <summary>A volume as its clients see it; only after the load.</summary>
    public IVolumeFrontend Frontend(int volume) =>
        _volumes[volume] ?? throw new InvalidOperationException("the resource is not loaded yet");

    /// <summary>
    /// Frees slots and metadata buffers. Only when nothing of this resource is pending on the loop any more.
    /// </summary>
    public void Dispose()
    {
        Buffers.Dispose();
        _copyBuffers.Dispose();
        _chunks.Dispose();
        Array.ForEach(_stores, store => store.Dispose());
    }

    /// <summary>The backing disks of this node are in use.</summary>
    internal bool HasDisk => _replica is not { } replica || replica.DiskState > DiskState.Failed;

    /// <summary>Null when clients may open volumes; else why not.</summary>
    internal string? DescribeUnavailable()
    {
        if (_replica is null)
        {
            return _loadFailure ?? $"resource {Name} is still loading";
        }

        return _replica.Role == Role.Primary
            ? _replica.Failure
            : _replica.PeerRole == Role.Primary
                ? $"resource {Name} is Standby on {_options.NodeName}; the Primary is {_options.PeerName}"
                : $"resource {Name} is Standby on {_options.NodeName}; promote it first: mirrorctl promote {Name}";
    }

    private void DoElsewhere(Func<Action> work)
    {
        Action? then = null;
        _host.DoElsewhere(() => then = work(), () =>
        {
            then!();
            AfterEvent();
        });
    }

    private void AllLoaded(MetadataLoad[] loads, Action<Superblock[], int[]>? change, Action<string?> loaded)
    {
        string? problem = null;
        for (int i = 0; i < loads.Length && problem is null; i++)
        {
            problem = loads[i].Damage ?? Mismatch(loads[i].Superblock!, i);
        }

        DirtyMap[] maps = [.. loads.Select(l => l.Map!)];
        Superblock[] states = [.. loads.Select(l => l.Superblock!)];
        int[] stores = new int[states.Length];
        problem ??= VolumeAgreement.RollForward(states, stores);
        if (problem is not null)
        {
            loaded(problem);
            return;
        }

        change?.Invoke(states, stores);

        int missing = stores.Sum() + 1;
        int failure = 0;
        void Stored(int error)
        {
            failure = failure != 0 ? failure : error;
            if (--missing > 0)
            {
                return;
            }

            if (failure == 0)
            {
                Begin(states, maps);
            }

            loaded(failure == 0 ? null : $"writing the superblock failed with errno {failure}");
        }

        for (int volume = 0; volume < stores.Length; volume++)
        {
            for (int store = 0; store < stores[volume]; store++)
            {
                _stores[volume].StoreSuperblock(states[volume], Stored);
            }
        }

        Stored(0);
    }

    private void Begin(Superblock[] states, DirtyMap[] maps)
    {
        for (int i = 0; i < _volumes.Length; i++)
        {
            _volumes[i] ??= new MirroredVolume(this, _loop, _options.Volumes[i], i);
        }

        var settings = new ReplicaSettings(
            Name, _options.Node, _options.NodeName, _options.PeerName, _options.Boot, _host.HasArbiter,
            _options.OnPeerLoss, _options.ResyncBytesPerSecond, _options.LinkTimeoutMs * 1_000_000L)
        {
            Autoswitch = _options.Autoswitch,
            TakeoverDelayNs = _options.TakeoverDelayMs * 1_000_000L,
            OutdateTimeoutNs = _options.OutdateTimeoutMs * 1_000_000L,
            IsPreferred = _options.IsPreferred,
            FollowsProduction = _options.FollowsProduction,
            ActiveExtents = _options.ActiveExtents,
            CopiesPerFlush = _options.CopiesPerFlush,
            ResyncFloorBytesPerSecond = _options.ResyncFloorBytesPerSecond,
            ResyncByChecksum = _options.ResyncByChecksum,
            SnapshotsTarget = _options.Snapshots is not null,
            SplitBrainPolicy = _options.SplitBrainPolicy,
            VerifyBytesPerSecond = _options.VerifyBytesPerSecond,
            Mode = _options.Mode,
            AheadBytes = _options.AsyncBufferBytes,
            AheadNs = _options.AsyncLagMs * 1_000_000L,
        };
        _replica = new Replica(settings, this, states, maps);
        NoteDisconnects();
        if (states[0].DiskState != DiskState.Inconsistent)
        {
            // Of a resync that has ended, or never began: a daemon died in between.
            _options.Snapshots?.Drop();
        }

        if (_picture is not null)
        {
            _replica.PathsChanged(_picture);
        }
    }

    private string? Mismatch(Superblock found, int index)
    {
        VolumeOptions options = _options.Volumes[index];
        string on = $"{options.Data.Name} holds metadata of";
        const string remedy = "; check the device paths in the configuration";
        return found.Node != _options.Node ? $"{on} node id {found.Node}, not of this node {_options.Node}{remedy}"
            : found.ResourceName != Name ? $"{on} resource {found.ResourceName}, not {Name}{remedy}"
            : found.VolumeName != options.Name || found.VolumeIndex != index
                ? $"{on} volume {found.VolumeName} (number {found.VolumeIndex}), not {options.Name} ({index}){remedy}"
            : found.DataBytes > options.Data.LengthBytes
                ? $"{options.Data.Name} has {options.Data.LengthBytes} bytes, the mirror needs {found.DataBytes}: "
                    + "it shrank; enlarge it again"
            : null;
    }

    /// <summary>An authenticated connection: the old one, if any, is given up first.</summary>
    private void Connected(AuthenticatedLink link, bool isConnector)
    {
        _link.IsBusy = true;
        if (_next is { } former)
        {
            GiveUp(former.Link);
        }

        _next = (link, isConnector);
        if (_connection is null)
        {
            UseNext();
        }
        else
        {
            _connection.Close("the peer has connected anew");
        }

        AfterEvent();
    }

    private void UseNext()
    {
        if (_next is not { } next)
        {
            return;
        }

        _next = null;
        if (_isStopped || _replica is not { IsDisconnected: false })
        {
            GiveUp(next.Link);
            _link.IsBusy = false;
            return;
        }

        _sentTimes.Clear();
        _connection = new PeerConnection(_loop, next.Link, this, next.IsConnector, _chunks);
        _replica.LinkUp(next.Link.Keys.Session);
        _connection?.Start();
    }

    private static void GiveUp(AuthenticatedLink link)
    {
        link.Stream.Close();
        link.Stream.Dispose();
    }
}
