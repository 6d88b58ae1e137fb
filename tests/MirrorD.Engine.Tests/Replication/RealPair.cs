using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Engine.Link;
using MirrorD.Engine.Metadata;
using MirrorD.Engine.Nbd;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Two nodes on real loops and files, connected over loopback, each with its own thread.</summary>
internal sealed class RealPair : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly byte[]? _sourceData;
    private readonly LoopFactory _loops;
    private readonly Func<IIoLoop, ILinkSecurity> _security;
    private readonly bool _isSparse;
    private readonly string _directory = Directory.CreateTempSubdirectory("mirrord-pair-").FullName;

    /// <param name="dataBytes">Size of the volume.</param>
    /// <param name="mode">Its mode.</param>
    /// <param name="sourceData">What a's file begins with, to be copied to b; null: both are empty.</param>
    /// <param name="loops">What both nodes run on.</param>
    /// <param name="security">Of the link; null: both have a secret, and nothing is encrypted.</param>
    /// <param name="isSparse">The files have no room of their own yet, so that a large one costs nothing.</param>
    public RealPair(
        long dataBytes, ReplicationMode mode = ReplicationMode.Sync, byte[]? sourceData = null,
        LoopKind loops = LoopKind.Uring, Func<IIoLoop, ILinkSecurity>? security = null, bool isSparse = false)
    {
        _security = security ?? (_ => new Testing.SharedSecret(SimulatedPair.SharedKey));
        _isSparse = isSparse;
        _loops = LoopFactory.Of(loops);
        int port = FreePort();
        _sourceData = sourceData;
        A = new Node(this, "a", "b", port, dataBytes, mode);
        B = new Node(this, "b", "a", port, dataBytes, mode);
        B.Start();
        A.Start();
        Until("both are joined", () => A.Link == LinkState.Joined && B.Link == LinkState.Joined);
    }

    public Node A { get; }

    public Node B { get; }

    public void Until(string what, Func<bool> condition) => Assert.True(
        SpinWait.SpinUntil(condition, Deadline),
        $"waited {Deadline} for: {what}\n{A.Describe()}\n{B.Describe()}");

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    internal sealed class Node : IResourceHost, IDisposable
    {
        private readonly RealPair _pair;
        private readonly LinuxLoop _loop;
        private readonly LinuxDisk _data;
        private readonly LinuxDisk _metadata;
        private readonly Thread _thread;
        private readonly ResourceOptions _options;
        private volatile ResourceStatus? _status;
        private volatile Exception? _failure;
        private NbdServer? _exports;

        public Node(RealPair pair, string name, string peer, int port, long dataBytes, ReplicationMode mode)
        {
            _pair = pair;
            _loop = pair._loops.Create();
            long metadataBytes = new MetadataLayout(dataBytes).TotalBytes;
            _data = Create($"{name}-data", dataBytes);
            _metadata = Create($"{name}-metadata", metadataBytes);
            var endpoint = new TcpEndpoint(IPAddress.Loopback, port);
            _options = new ResourceOptions
            {
                Name = "r",
                NodeName = name,
                Node = new NodeId(Guid.NewGuid()),
                Boot = new BootId(Guid.NewGuid()),
                PeerName = peer,
                Volumes = [new VolumeOptions("v", _data, _metadata, 0, metadataBytes)],
                Listen = endpoint,
                Connect = endpoint,
                Security = pair._security(_loop),
                LinkTimeoutMs = 30_000,
                DiskTimeoutMs = 60_000,
                Mode = mode,
            };
            Resource = new ReplicatedResource(_loop, _options, this);
            _thread = new Thread(RunLoop) { IsBackground = true, Name = name };
        }

        public ReplicatedResource Resource { get; }

        /// <summary>The file of the volume's data.</summary>
        public string DataPath => _data.Name;

        public LinkState Link => _status?.Link ?? LinkState.Disconnected;

        public bool HasArbiter => false;

        public void Start()
        {
            _thread.Start();
            int? formatted = null;
            Superblock initial = VolumeFormatter.Initial(
                "r", "v", 0, _options.Node, _data.LengthBytes,
                _pair._sourceData is null ? CreationSource.Empty
                    : _options.NodeName == "a" ? CreationSource.Self : CreationSource.Peer,
                new Generation(7));
            _loop.Post(() => VolumeFormatter.Format(
                _loop, _options.Volumes[0], initial, false, error => formatted = error));
            _pair.Until("formatted", () => formatted is not null);
            Assert.Equal(0, formatted);
            Resource.Start();
        }

        /// <summary>Serves the volume by NBD until the end.</summary>
        /// <returns>Path of the socket.</returns>
        public string Serve()
        {
            string socket = Path.Combine(_pair._directory, $"{_options.NodeName}.nbd");
            _exports = new NbdServer(
                _loop, new UnixEndpoint(socket), [Resource.Frontend(0)], new NbdServerOptions(), _ => { });
            OnLoop(_exports.Start);
            return socket;
        }

        public void Do(ResourceCommand command)
        {
            CommandOutcome? outcome = null;
            Resource.Command(command, o => outcome = o);
            _pair.Until($"{_options.NodeName}: {command}", () => Volatile.Read(ref outcome) is not null);
            Assert.True(outcome!.Succeeded, outcome.Message);
        }

        /// <summary>A bit rots on the disk, unknown to the mirror. Nobody may write to the block meanwhile.</summary>
        public void FlipByte(long at)
        {
            using var buffer = new IoBuffer(4096);
            long block = at / 4096 * 4096;
            bool isDone = false;
            var write = new IoOperation(_ => Volatile.Write(ref isDone, true));
            var read = new IoOperation(_ =>
            {
                buffer.Span[(int)(at - block)] ^= 1;
                _loop.Write(_data, block, buffer.Slice(0, 4096), durable: false, write);
            });
            OnLoop(() => _loop.Read(_data, block, buffer.Slice(0, 4096), read));
            _pair.Until($"a byte of {_data.Name} is flipped", () => Volatile.Read(ref isDone));
        }

        /// <summary>Runs something on the loop's thread and waits for it.</summary>
        public void OnLoop(Action action)
        {
            using var done = new ManualResetEventSlim();
            _loop.Post(() =>
            {
                action();
                done.Set();
            });
            Assert.True(done.Wait(Deadline), $"waited {Deadline} for the loop of {Describe()}");
        }

        public long AllocatedBytes()
        {
            long bytes = 0;
            OnLoop(() => bytes = GC.GetAllocatedBytesForCurrentThread());
            return bytes;
        }

        public string Describe() =>
            $"{_options.NodeName}: {_status?.Role} {_status?.DiskState} {Link} {_status?.HoldUp} {_failure}";

        public void Dispose()
        {
            if (_failure is null)
            {
                using var closed = new ManualResetEventSlim(_exports is null);
                _loop.Post(() => _exports?.Stop("end of the test", closed.Set));
                Assert.True(closed.Wait(Deadline), $"waited {Deadline} for the exports to end; {Describe()}");
                using var stopped = new ManualResetEventSlim();
                Resource.Command(new ResourceCommand.Stop(), _ => stopped.Set());
                Assert.True(stopped.Wait(Deadline), $"waited {Deadline} for the stop; {Describe()}");
            }

            // A store that began before the stop may still be under way.
            foreach (LinuxDisk disk in new[] { _data, _metadata })
            {
                _pair.Until($"nothing is under way on {disk.Name}", () => TryClose(disk));
            }

            _loop.Stop();
            Assert.True(_thread.Join(Deadline), $"waited {Deadline} for the loop's end; {Describe()}");
        }

        public void ClaimSession(
            string resource, SessionId session, NodeId node, Action<ArbiterAnswer> answered) =>
            throw new NotSupportedException();

        public ulong NewIdentifier() => (ulong)Random.Shared.NextInt64() | 1;

        public void FillRandom(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

        public void DoElsewhere(Action work, Action done) => Task.Run(work).ContinueWith(_ => _loop.Post(done));

        public void RunHooks(HookStep step, Role role, Action<string?> ended) => _loop.Post(() => ended(null));

        public void CancelHooks()
        {
        }

        public void OpenExports(Action<IReadOnlyList<string>> done) => _loop.Post(() => done([]));

        public void FindDeviceUsers(Action<IReadOnlyList<string>> answered) => _loop.Post(() => answered([]));

        public void CloseExports(Action done) => _loop.Post(done);

        public void AddAddresses(Action<IReadOnlyList<string>> done) => _loop.Post(() => done([]));

        public void RemoveAddresses(Action done) => _loop.Post(done);

        public void ProbeAddresses(Action<string?> answered) => _loop.Post(() => answered(null));

        public void StuckChanged(bool isStuck)
        {
        }

        public void ProbeGateway(Action<GatewayEvidence> answered) =>
            _loop.Post(() => answered(GatewayEvidence.NotConfigured));

        public void RoleRecorded(RoleRecord record)
        {
        }

        public void Publish(ResourceStatus status) => _status = status;

        public void Raise(ResourceEvent happened)
        {
        }

        private bool TryClose(LinuxDisk disk)
        {
            bool isClosed = false;
            OnLoop(() =>
            {
                try
                {
                    disk.Close();
                    isClosed = true;
                }
                catch (InvalidOperationException)
                {
                    // Operations are pending: the next time.
                }
            });
            return isClosed;
        }

        private LinuxDisk Create(string name, long lengthBytes)
        {
            string path = Path.Combine(_pair._directory, name);
            if (_pair._isSparse)
            {
                using FileStream sparse = File.Create(path);
                sparse.SetLength(lengthBytes);
            }
            else
            {
                LinuxDisk.CreateFile(path, lengthBytes);
                // The first write to room that was only allocated is slow.
                using FileStream file = File.OpenWrite(path);
                file.Write(new byte[lengthBytes]);
                if (name == "a-data" && _pair._sourceData is { } data)
                {
                    file.Position = 0;
                    file.Write(data);
                }

                file.Flush(flushToDisk: true);
            }

            return LinuxDisk.Open(path, isWritable: true, isExclusive: true);
        }

        private void RunLoop()
        {
            try
            {
                _loop.Run();
            }
            catch (Exception e)
            {
                _failure = e;
            }
            finally
            {
                _loop.Dispose();
            }
        }
    }

    /// <summary>Keeps so many requests in flight on a node, at offsets all over the volume.</summary>
    internal sealed class Client
    {
        private readonly Node _node;
        private readonly IVolumeFrontend _volume;
        private readonly IoRequest[] _requests;
        private readonly int _lengthBytes;
        private ulong _state = 1;
        private int _left;
        private int _inFlight;
        private int _failed;

        /// <summary>Of sixteen requests one each is a read, a zero, a flush and a durable write.</summary>
        public bool IsMixed { get; set; }

        /// <summary>Nothing beyond it is touched; the volume's end if not set.</summary>
        public long EndsAt { get; init; }

        public Client(RealPair pair, Node node, int depth, int lengthBytes)
        {
            _node = node;
            _lengthBytes = lengthBytes;
            _volume = node.Resource.Frontend(0);
            _requests = new IoRequest[depth];
            int made = 0;
            pair.Until("slots for all requests", () =>
            {
                // More are made than there are, as long as it asks for some.
                node.OnLoop(() =>
                {
                    while (made < depth && _volume.Buffers.TryRent(out IoBuffer? slot))
                    {
                        _requests[made++] = new IoRequest(Completed)
                        {
                            Data = slot.Slice(BufferPool.HeadroomBytes, lengthBytes),
                        };
                    }
                });
                return made == depth;
            });
        }

        public void Run(RealPair pair, int count)
        {
            _node.OnLoop(() =>
            {
                _left = count;
                foreach (IoRequest request in _requests)
                {
                    SubmitNext(request);
                }
            });
            pair.Until($"{count} requests",
                () => Volatile.Read(ref _inFlight) == 0 && Volatile.Read(ref _left) == 0);
            Assert.Equal(0, _failed);
        }

        private void SubmitNext(IoRequest request)
        {
            if (_left == 0)
            {
                return;
            }

            _left--;
            _inFlight++;
            _state = (_state * 6364136223846793005) + 1442695040888963407;
            long end = EndsAt > 0 ? EndsAt : _volume.LengthBytes;
            long block = (long)((_state >> 33) % (ulong)(end / _lengthBytes));
            int kind = IsMixed ? (int)(_state >> 29) & 15 : 0;
            request.Operation = kind switch
            {
                1 => VolumeOperation.Read,
                2 => VolumeOperation.Zero,
                3 => VolumeOperation.Flush,
                _ => VolumeOperation.Write,
            };
            request.ForceUnitAccess = kind == 4;
            bool isFlush = request.Operation == VolumeOperation.Flush;
            request.Offset = isFlush ? 0 : block * _lengthBytes;
            request.LengthBytes = isFlush ? 0 : _lengthBytes;
            _volume.Submit(request);
        }

        private void Completed(IoRequest request)
        {
            _failed += request.Error == 0 ? 0 : 1;
            SubmitNext(request);
            _inFlight--;
        }
    }
}
