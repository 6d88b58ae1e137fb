using System.Net;
using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Engine.Link;
using MirrorD.Engine.Metadata;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Two nodes with one resource in a simulated world, for tests that tell one story each.</summary>
internal sealed class SimulatedPair
{
    public const long SecondNs = 1_000_000_000;
    public static readonly byte[] SharedKey = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private readonly Dictionary<string, HashSet<(ulong Session, NodeId Owner)>> _arbiterKeys = [];

    public SimulatedPair(ulong seed = 1, int volumes = 1, long dataBytes = 16 << 20, PeerLoss onPeerLoss = PeerLoss.Freeze,
        bool hasArbiter = false, CreationSource aIs = CreationSource.Empty, CreationSource bIs = CreationSource.Empty)
    {
        World = new SimulatedWorld(seed);
        HasArbiter = hasArbiter;
        A = new Node(this, "a", "b", "10.0.0.1", "10.0.0.2", volumes, dataBytes, onPeerLoss, aIs);
        B = new Node(this, "b", "a", "10.0.0.2", "10.0.0.1", volumes, dataBytes, onPeerLoss, bIs);
        A.Format();
        B.Format();
    }

    public SimulatedWorld World { get; }

    public bool HasArbiter { get; }

    public bool ArbiterIsUp { get; set; } = true;

    public Node A { get; }

    public Node B { get; }

    public Dictionary<SessionId, NodeId> Grants { get; } = [];

    public void Until(string what, Func<bool> condition, long seconds = 60) => Assert.True(
        World.RunUntil(condition, seconds * SecondNs),
        $"waited {seconds} s for: {what}\na: {A.Describe()}\nb: {B.Describe()}\n" + string.Join('\n', A.Events.Concat(B.Events).TakeLast(30)));

    public void StartBoth()
    {
        A.Start();
        B.Start();
    }

    public void Join() => Until("joined", () => A.Link == LinkState.Joined && B.Link == LinkState.Joined);

    public sealed class Node : IResourceHost
    {
        private readonly SimulatedPair _pair;
        private readonly SimulatedDisk[] _data;
        private readonly SimulatedDisk[] _metadata;
        private readonly ResourceOptions _options;
        private readonly CreationSource _source;
        private SimulatedLoop _loop = null!;
        private BootId _boot = new(Guid.NewGuid());

        public Node(SimulatedPair pair, string name, string peer, string own, string other, int volumes, long dataBytes,
            PeerLoss onPeerLoss, CreationSource source)
        {
            _pair = pair;
            Name = name;
            _source = source;
            pair.World.AddAddress(name, IPAddress.Parse(own));
            _data = [.. Enumerable.Range(0, volumes).Select(i => pair.World.CreateDisk(name, $"{name}-data{i}", dataBytes))];
            long metadataBytes = new MetadataLayout(dataBytes).TotalBytes;
            _metadata = [.. Enumerable.Range(0, volumes).Select(i => pair.World.CreateDisk(name, $"{name}-meta{i}", metadataBytes))];
            _options = new ResourceOptions
            {
                Name = "r",
                NodeName = name,
                Node = new NodeId(new Guid(name == "a" ? 1 : 2, 0, 0, new byte[8])),
                Boot = _boot,
                PeerName = peer,
                Volumes = [.. _data.Select((d, i) => new VolumeOptions($"v{i}", d, _metadata[i], 0, metadataBytes))],
                Listen = new TcpEndpoint(IPAddress.Parse(own), 7780),
                Connect = new TcpEndpoint(IPAddress.Parse(other), 7780),
                Security = new Testing.SharedSecret(SharedKey),
                OnPeerLoss = onPeerLoss,
            };
        }

        public string Name { get; }

        public ReplicatedResource Resource { get; private set; } = null!;

        public List<string> Events { get; } = [];

        public ReadOnlyMemory<byte> Key { get; set; } = SharedKey;

        /// <summary>How its links become authentic, from the next start on; null: by <see cref="Key"/> at once.</summary>
        public Func<IIoLoop, ILinkSecurity>? Security { get; set; }

        /// <summary>Where it connects to instead of its peer: something in between.</summary>
        public Endpoint? ConnectTo { get; set; }

        public bool ReachesArbiter { get; set; } = true;

        public LinkState Link => Resource.Status.Link;

        public Role Role => Resource.Status.Role;

        public bool HasArbiter => _pair.HasArbiter;

        public void Format()
        {
            IIoLoop loop = _pair.World.CreateLoop(Name);
            int done = 0;
            for (int i = 0; i < _data.Length; i++)
            {
                Superblock initial = VolumeFormatter.Initial("r", $"v{i}", i, _options.Node, _data[i].LengthBytes,
                    _source, new Generation(_options.Node.Value.GetHashCode() == 0 ? 3UL : (ulong)(Name[0] * 1000)));
                VolumeFormatter.Format(loop, _options.Volumes[i], initial, false, error => done += error == 0 ? 1 : 0);
            }

            _pair.Until("format", () => done == _data.Length);
            _pair.World.CrashProcess(Name);
        }

        public void Start()
        {
            Closings = 0;
            _loop = _pair.World.CreateLoop(Name);
            if (Snapshots is not null)
            {
                Snapshots.Loop = _loop;
            }

            Resource = new ReplicatedResource(_loop,
                _options with
                {
                    Security = Security?.Invoke(_loop) ?? new Testing.SharedSecret(Key),
                    Boot = _boot,
                    DiskTimeoutMs = DiskTimeoutMs,
                    LinkTimeoutMs = LinkTimeoutMs,
                    DeadAfterMs = DeadAfterMs,
                    SlotMemory = SlotMemory,
                    ResyncByChecksum = ByChecksum,
                    ResyncBytesPerSecond = ResyncBytesPerSecond,
                    Snapshots = Snapshots,
                    Connect = ConnectTo ?? _options.Connect,
                    LinkVersion = LinkVersion,
                },
                this);
            Resource.Start();
        }

        /// <summary>What a volume has stored, read while the node is not running; changed first when asked.</summary>
        public Superblock Stored(int volume, Func<Superblock, Superblock>? change = null)
        {
            IIoLoop loop = _pair.World.CreateLoop(Name);
            using var store = new VolumeMetadataStore(loop, _options.Volumes[volume]);
            MetadataLoad? load = null;
            store.Load(found => load = found);
            _pair.Until($"{Name}: volume {volume} is loaded", () => load is not null);
            Superblock stored = load!.Superblock!;
            if (change is not null)
            {
                int? error = null;
                store.StoreSuperblock(change(stored), e => error = e);
                _pair.Until($"{Name}: volume {volume} is changed", () => error is not null);
                Assert.Equal(0, error);
                stored = store.Current;
            }

            Kill();
            return stored;
        }

        /// <summary>Its resyncs go by checksum, from the next start on.</summary>
        public bool ByChecksum { get; set; }

        /// <summary>Its snapshots, from the next start on; null: it takes none.</summary>
        public MemorySnapshots? Snapshots { get; set; }

        /// <summary>Ceiling of the rate of resyncs; 0: none.</summary>
        public long ResyncBytesPerSecond { get; set; }

        /// <summary>Highest version of the link's protocol that it speaks, from the next start on.</summary>
        public ushort LinkVersion { get; set; } = PeerHello.HighestVersion;

        /// <summary>Its data disks take so long from now on.</summary>
        public void SlowDisks(long tookNs) => Array.ForEach(_data, disk => disk.LatencyNs = (tookNs, tookNs));

        /// <summary>Where its slots come from.</summary>
        public CountedMemory SlotMemory { get; } = new();

        /// <summary>Silence after which its link is lost, from the next start on.</summary>
        public int LinkTimeoutMs { get; set; } = 2000;

        /// <summary>Time without a tick after which its loop counts as stuck, from the next start on.</summary>
        public int DeadAfterMs { get; set; } = 5000;

        /// <summary>A limit for its disks, from the next start on.</summary>
        public int DiskTimeoutMs { get; set; }

        /// <summary>From now on these operations on the metadata fail; null: none.</summary>
        public void FailMetadata(OperationKind? kind)
        {
            foreach (SimulatedDisk disk in _metadata)
            {
                disk.Fault = kind is null ? null : (what, _, _) => what == kind ? Errno.EIO : 0;
            }
        }

        /// <summary>Data that can't be read until it is written again.</summary>
        public void MakeUnreadable(long offset, int length)
        {
            bool isBad = true;
            _data[0].Fault = (what, at, bytes) =>
            {
                bool touches = at < offset + length && offset < at + bytes;
                isBad &= !(what == OperationKind.Write && at <= offset && at + bytes >= offset + length);
                return isBad && touches && what == OperationKind.Read ? Errno.EIO : 0;
            };
            _data[0].Put(offset, new byte[length]);
        }

        /// <summary>The data disks, and with them the metadata if told so, answer nothing, or again.</summary>
        public void Hang(bool hangs, bool metadataToo = false)
        {
            Array.ForEach(_data, disk => disk.Hangs = hangs);
            Array.ForEach(_metadata, disk => disk.Hangs = hangs && metadataToo);
        }

        public void Kill() => _pair.World.CrashProcess(Name);

        /// <summary>From now on these operations on the data fail; null: none.</summary>
        public void FailDisks(OperationKind? kind)
        {
            foreach (SimulatedDisk disk in _data)
            {
                disk.Fault = kind is null ? null : (what, _, _) => what == kind ? Errno.EIO : 0;
            }
        }

        public void PowerCut()
        {
            _pair.World.PowerCut(Name);
            _boot = new BootId(Guid.NewGuid());
        }

        public CommandOutcome Do(ResourceCommand command)
        {
            CommandOutcome? outcome = null;
            Resource.Command(command, o => outcome = o);
            _pair.Until($"{Name}: {command}", () => outcome is not null);
            return outcome!;
        }

        public Pending Submit(VolumeOperation operation, long offset = 0, int length = 0, byte fill = 0, int volume = 0,
            bool fua = false) => Submit(Resource.Frontend(volume), operation, offset, length, fill, fua);

        public Pending Submit(
            IVolumeFrontend frontend, VolumeOperation operation, long offset, int length, byte fill = 0, bool fua = false)
        {
            var pending = new Pending();
            IoBuffer? slot = null;
            var request = new IoRequest(r =>
            {
                pending.Error = r.Error;
                if (r.Operation == VolumeOperation.Read)
                {
                    pending.Data = r.Data.Span.ToArray();
                }

                if (slot is not null)
                {
                    frontend.Buffers.Return(slot);
                }
            })
            {
                Operation = operation,
                Offset = offset,
                LengthBytes = length,
                ForceUnitAccess = fua,
            };
            if (operation is VolumeOperation.Read or VolumeOperation.Write)
            {
                if (!frontend.Buffers.TryRent(out slot))
                {
                    _pair.Until("a slot is made", () => frontend.Buffers.TryRent(out slot));
                }

                request.Data = slot!.Slice(BufferPool.HeadroomBytes, length);
                request.Data.Span.Fill(fill);
            }

            frontend.Submit(request);
            return pending;
        }

        public void Write(long offset, int length, byte fill, int volume = 0)
        {
            Pending write = Submit(VolumeOperation.Write, offset, length, fill, volume);
            _pair.Until($"{Name}: write at {offset}", () => write.Error is not null);
            Assert.Equal(0, write.Error);
        }

        public void Flush(int volume = 0)
        {
            Pending flush = Submit(VolumeOperation.Flush, volume: volume);
            _pair.Until($"{Name}: flush", () => flush.Error is not null);
            Assert.Equal(0, flush.Error);
        }

        public byte[] Peek(long offset, int length, int volume = 0)
        {
            byte[] bytes = new byte[length];
            _data[volume].Peek(offset, bytes);
            return bytes;
        }

        /// <summary>Data that lay on the disk before.</summary>
        public void Put(long offset, ReadOnlySpan<byte> bytes) => _data[0].Put(offset, bytes);

        public string Describe()
        {
            if (Resource is null)
            {
                return "not started";
            }

            ResourceStatus s = Resource.Status;
            return $"{s.Role} {s.DiskState} {s.Link} held={s.HeldRequests} proof={s.Proof} case={s.HandshakeCase} "
                + $"holdup={s.HoldUp?.State} session={s.Session} dirty={s.Volumes.Sum(v => v.DirtyBytes)}";
        }

        public void ClaimSession(string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered) =>
            _pair.World.Schedule(1_000_000, () => _loop.Post(() =>
            {
                if (!_pair.ArbiterIsUp || !ReachesArbiter)
                {
                    answered(ArbiterAnswer.Unreachable);
                    return;
                }

                _pair.Grants.TryAdd(session, node);
                answered(_pair.Grants[session] == node ? ArbiterAnswer.Granted : ArbiterAnswer.Refused);
            }));

        public ulong NewIdentifier() => _pair.World.Random.NextBits() | 1;

        public void FillRandom(Span<byte> bytes)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)_pair.World.Random.NextBits();
            }
        }

        public void DoElsewhere(Action work, Action done)
        {
            work();
            _loop.Post(done);
        }

        /// <summary>What the hooks of a step answer; null: they succeed.</summary>
        public Func<HookStep, string?> Hooks { get; set; } = _ => null;

        /// <summary>How long the hooks of a step take.</summary>
        public long HooksTakeNs { get; set; }

        /// <summary>The service addresses are here.</summary>
        public bool HoldsAddresses { get; private set; }

        /// <summary>Who else answers for a service address.</summary>
        public string? AddressHolder { get; set; }

        public GatewayEvidence Gateway { get; set; } = GatewayEvidence.Answers;

        public List<RoleRecord> Records { get; } = [];

        public void RunHooks(HookStep step, Role role, Action<string?> ended)
        {
            string? failure = Hooks(step);
            SimulatedLoop loop = _loop;
            _pair.World.Schedule(HooksTakeNs, () => loop.Post(() => ended(failure)));
        }

        public void CancelHooks()
        {
        }

        public void OpenExports(Action<IReadOnlyList<string>> done) => _loop.Post(() => done([]));

        public void FindDeviceUsers(Action<IReadOnlyList<string>> answered) => _loop.Post(() => answered([]));

        /// <summary>How often this process closed what is above the role.</summary>
        public int Closings { get; private set; }

        public void CloseExports(Action done)
        {
            Closings++;
            _loop.Post(done);
        }

        /// <summary>The copies as they were last opened for reading.</summary>
        public IReadOnlyList<IVolumeFrontend> Copies { get; private set; } = [];

        public bool AreCopiesOpen { get; private set; }

        public string? OpenCopies(IReadOnlyList<IVolumeFrontend> copies)
        {
            (Copies, AreCopiesOpen) = (copies, true);
            return null;
        }

        public void CloseCopies(string reason) => AreCopiesOpen = false;

        public void AddAddresses(Action<IReadOnlyList<string>> done)
        {
            HoldsAddresses = true;
            _loop.Post(() => done([]));
        }

        public void RemoveAddresses(Action done)
        {
            HoldsAddresses = false;
            _loop.Post(done);
        }

        public void ProbeAddresses(Action<string?> answered) => _loop.Post(() => answered(AddressHolder));

        public void StuckChanged(bool isStuck)
        {
        }

        public void ProbeGateway(Action<GatewayEvidence> answered) => _loop.Post(() => answered(Gateway));

        public void RoleRecorded(RoleRecord record) => Records.Add(record);

        public void Publish(ResourceStatus status)
        {
        }

        public void Raise(ResourceEvent happened) => Events.Add($"{happened.AtNs / 1000000} {Name} {happened.Kind} {happened.Message}");
    }

    public sealed class Pending
    {
        public int? Error { get; set; }

        public byte[]? Data { get; set; }
    }
}
