using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MirrorD.Core.Failover;
using MirrorD.Core.Metadata;
using MirrorD.Core.Replication;
using MirrorD.Core.Resync;
using MirrorD.Core.Verify;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// One side of a <see cref="ManualPair"/>: a disk of 4 KiB blocks, each with one number in it.
/// </summary>
internal sealed class ManualNode : IReplicaEffects
{
    public const long VolumeBytes = 64 << 20;

    /// <summary>What a disk of this pair can be enlarged to.</summary>
    public const long EnlargedBytes = VolumeBytes + (2 << 20);
    private readonly ManualPair _pair;
    private readonly ReplicaSettings _settings;
    private readonly int[] _durable = new int[EnlargedBytes / 4096];
    private DirtyMap _map = new(VolumeBytes);
    private DirtyMap _storedMap = new(VolumeBytes);
    private uint[] _storedLog = [];
    private bool _isFlushing;
    private int _boots;

    public ManualNode(
        ManualPair pair, int id, int peer, bool hasArbiter, bool continueOnPeerLoss,
        Func<ReplicaSettings, ReplicaSettings>? adjust)
    {
        _pair = pair;
        var node = new NodeId(new Guid(id, 0, 0, new byte[8]));
        var stored = new Superblock
        {
            ResourceId = Guid.Empty,
            ResourceName = "r",
            VolumeIndex = 0,
            VolumeName = "v",
            Node = node,
            DataBytes = VolumeBytes,
            Current = new Generation((ulong)id),
            DiskState = DiskState.UpToDate,
            JustCreated = true,
            CreationSource = CreationSource.Empty,
            Sequence = 1,
        };
        Stored = [stored];
        _settings = new ReplicaSettings(
            "r", node, $"n{id}", $"n{peer}", BootOf(node, 0), hasArbiter,
            continueOnPeerLoss ? PeerLoss.Continue : PeerLoss.Freeze, 0);
        _settings = adjust?.Invoke(_settings) ?? _settings;
        Replica = new Replica(_settings, this, [stored], [_map]);
    }

    public ManualNode Peer { get; set; } = null!;

    public Replica Replica { get; private set; }

    /// <summary>Told of each completed request.</summary>
    public Action<ManualRequest> Completed { get; set; } = _ => { };

    /// <summary>The peer asks for the role.</summary>
    public Action RoleWanted { get; set; } = () => { };

    /// <summary>Told of each claim; null: they are only noted.</summary>
    public Action<SessionId>? Claimed { get; set; }

    public bool IsConnected { get; set; }

    public bool FailsStores { get; set; }

    public bool FailsFlushes { get; set; }

    public bool FailsWrites { get; set; }

    /// <summary>Blocks that can't be read until they are written again.</summary>
    public HashSet<int> Unreadable { get; } = [];

    /// <summary>What the superblock on the disk says.</summary>
    public IReadOnlyList<Superblock> Stored { get; private set; }

    public int[] Disk { get; } = new int[EnlargedBytes / 4096];

    /// <summary>What the disk has room for.</summary>
    public long Room { get; set; } = VolumeBytes;

    /// <summary>How often clients were told of a new size.</summary>
    public int Growths { get; private set; }

    public List<string> Events { get; } = [];

    public List<(bool Succeeded, string Message)> Answers { get; } = [];

    /// <summary>What each of them advised.</summary>
    public List<string?> Remedies { get; } = [];

    public int CopiesInUse { get; private set; }

    /// <summary>Sequences that it has told to have in memory.</summary>
    public List<long> Received { get; } = [];

    public List<SessionId> Claims { get; } = [];

    public long NowNs => _pair.NowNs;

    public void Answer(bool succeeded, string message, string? remedy)
    {
        Answers.Add((succeeded, message));
        Remedies.Add(remedy);
    }

    public ManualRequest Make(VolumeOperation operation, int block = 0, int stamp = 0) => new()
    {
        Operation = operation,
        Offset = operation == VolumeOperation.Flush ? 0 : block * 4096L,
        LengthBytes = operation == VolumeOperation.Flush ? 0 : 4096,
        Stamp = stamp,
        Owner = this,
    };

    public ManualRequest Submit(VolumeOperation operation, int block = 0, int stamp = 0)
    {
        ManualRequest request = Make(operation, block, stamp);
        Replica.Submit(request);
        return request;
    }

    public ManualRequest Write(int block, int stamp)
    {
        ManualRequest request = Submit(VolumeOperation.Write, block, stamp);
        _pair.Run();
        return request;
    }

    public ulong NewIdentifier() => ++_pair.Identifiers;

    public void SubmitLocal(VolumeRequest request) => _pair.Add(
        this, request.Operation == VolumeOperation.Read ? "read" : "write", () =>
        {
            if (request.Operation == VolumeOperation.Read ? Unreadable.Contains(BlockOf(request)) : FailsWrites)
            {
                Replica.LocalDone(request, 5);
                return;
            }

            Land(request);
            Replica.LocalDone(request, 0);
        }, () => Land(request));

    private static int BlockOf(VolumeRequest request) => (int)(request.Offset / 4096);

    private void Land(VolumeRequest request)
    {
        var mine = (ManualRequest)request;
        int block = (int)(request.Offset / 4096);
        if (request.Operation == VolumeOperation.Write)
        {
            Array.Fill(Disk, mine.Stamp, block, (int)(request.LengthBytes / 4096));
            Unreadable.Remove(block);
        }
        else
        {
            mine.Stamp = Disk[block];
        }
    }

    public void SendWrite(VolumeRequest request, long sequence)
    {
        int stamp = ((ManualRequest)request).Stamp;
        Send(() => Arrive(new Incoming
        {
            Operation = VolumeOperation.Write,
            Offset = request.Offset,
            LengthBytes = request.LengthBytes,
            Sequence = sequence,
            ForceUnitAccess = request.ForceUnitAccess,
            Data = [.. Enumerable.Repeat(stamp, (int)(request.LengthBytes / 4096))],
        }));
    }

    public void FlushLocal()
    {
        Assert.False(_isFlushing, "one flush of the disks at a time");
        _isFlushing = true;
        int[] covered = [.. Disk];
        _pair.Add(this, "flush", () =>
        {
            _isFlushing = false;
            if (FailsFlushes)
            {
                Replica.LocalFlushed(5);
                return;
            }

            covered.CopyTo(_durable, 0);
            Replica.LocalFlushed(0);
        });
    }

    public void SendFlush(long throughSequence) => Send(() =>
        Refuse(Peer.Replica.IncomingFlush(throughSequence)));

    public void Complete(VolumeRequest request, int error)
    {
        var mine = (ManualRequest)request;
        Assert.True(mine.Result is null, "a request is completed once");
        mine.Result = error;
        Completed(mine);
    }

    public void AskForTurnEnd() => _pair.Add(this, "turn", Replica.TurnEnded);

    public void StoreLog(int volume, ReadOnlySpan<uint> extents)
    {
        uint[] set = extents.ToArray();
        void Land() => _storedLog = set;
        _pair.Add(this, "log", () =>
        {
            Land();
            Replica.LogStored(volume, 0);
        }, Land);
    }

    public void StoreDirty(ReadOnlySpan<DirtyMap> maps, Action<int> stored)
    {
        while (_map.TakeChangedPage() >= 0)
        {
        }

        DirtyMap copy = CopyOf(_map, _map.VolumeBytes);
        void Land() => _storedMap = copy;
        _pair.Add(this, "dirty", () =>
        {
            Land();
            stored(0);
        }, Land);
    }

    public void StoreSuperblocks(IReadOnlyList<Superblock> next, Action<int> stored) =>
        _pair.Add(this, "superblock", () =>
        {
            if (FailsStores)
            {
                stored(5);
                return;
            }

            Stored = next;
            stored(0);
        }, () => Stored = next);

    public ResyncCopy? TryRentCopy()
    {
        CopiesInUse++;
        return new Copy();
    }

    public void ReturnCopy(ResyncCopy copy) => CopiesInUse--;

    public void ReadCopy(ResyncCopy copy) => _pair.Add(this, "copy", () =>
    {
        int first = (int)(copy.Offset / 4096);
        int end = (int)((copy.Offset + copy.LengthBytes) / 4096);
        ((Copy)copy).Data = Disk[first..end];
        copy.IsZero = Disk[first..end].All(stamp => stamp == 0);
        Replica.CopyRead(copy, Unreadable.Any(block => block >= first && block < end) ? 5 : 0);
    });

    public void SendCopy(ResyncCopy copy, long sequence) => Send(() => Arrive(new Incoming
    {
        Operation = copy.IsZero ? VolumeOperation.Zero : VolumeOperation.Write,
        MayUnmap = copy.IsZero,
        Offset = copy.Offset,
        LengthBytes = copy.LengthBytes,
        Sequence = sequence,
        IsCopy = true,
        Data = ((Copy)copy).Data,
    }));

    /// <summary>Ranges that the target was asked about.</summary>
    public int HashQuestions { get; private set; }

    public void SendHashQuestion(ResyncCopy copy, long sequence)
    {
        HashQuestions++;
        Send(() => Refuse(Peer.Replica.IncomingHashQuestion(
            new IncomingRead { Number = sequence, Offset = copy.Offset, LengthBytes = copy.LengthBytes })));
    }

    public void HashRange(IncomingRead question) => _pair.Add(this, "hash", () =>
    {
        int first = (int)(question.Offset / 4096);
        int end = (int)((question.Offset + question.LengthBytes) / 4096);
        RangeHash? hash = Unreadable.Any(block => block >= first && block < end)
            ? null : HashOf(Disk[first..end], question.Number);
        Send(() => Peer.Replica.PeerHashed(question.Number, hash));
        Replica.RangeHashed(question, 0);
    });

    /// <summary>What was snapshotted: the disk then, and whether it is to stay.</summary>
    public List<(int[] Disk, bool Keeps)> Snapshots { get; } = [];

    public int DroppedSnapshots { get; private set; }

    public bool SnapshotsFail { get; set; }

    public void TakeSnapshot(int link, bool keeps) => _pair.Add(this, "snapshot", () =>
    {
        Snapshots.Add(([.. Disk], keeps));
        Replica.SnapshotEnded(link, !SnapshotsFail);
    });

    public void DropSnapshot() => DroppedSnapshots++;

    public void SendRead(VolumeRequest request, long number) => Send(() =>
        Refuse(Peer.Replica.IncomingRead(
            new IncomingRead { Number = number, Offset = request.Offset, LengthBytes = request.LengthBytes })));

    public void ServeRead(IncomingRead read) => _pair.Add(this, "serve", () =>
    {
        int block = (int)(read.Offset / 4096);
        int found = Disk[block];
        int error = Unreadable.Contains(block) ? 5 : 0;
        Send(() =>
        {
            if (Peer.Replica.RemoteRead(read.Number) is ManualRequest request && error == 0)
            {
                request.Stamp = found;
            }

            Peer.Replica.RemoteReadDone(read.Number, error);
        });
    });

    /// <summary>What was compared, with its outcome.</summary>
    public List<(long Offset, VerifyOutcome Outcome)> Compared { get; } = [];

    public RangeHash HashOf(ResyncCopy copy, long sequence) => HashOf(((Copy)copy).Data, sequence);

    public void RefuseHash(IncomingRead question) => Send(() => Peer.Replica.PeerHashed(question.Number, null));

    public void VerifyStep(VerifyRange range, VerifyOutcome outcome) => Compared.Add((range.Offset, outcome));

    private static RangeHash HashOf(int[] blocks, long sequence) => RangeHash.Read(SHA256.HashData(
        [.. BitConverter.GetBytes(sequence), .. MemoryMarshal.AsBytes(blocks.AsSpan())]));

    public void RefuseRead(IncomingRead read) => Send(() => Peer.Replica.RemoteReadDone(read.Number, 5));

    public void RepairLocal(VolumeRequest request)
    {
        void Land()
        {
            Disk[BlockOf(request)] = ((ManualRequest)request).Stamp;
            Unreadable.Remove(BlockOf(request));
        }

        _pair.Add(this, "repair", () =>
        {
            if (!FailsWrites)
            {
                Land();
            }

            Replica.Repaired(request, FailsWrites ? 5 : 0);
        }, Land);
    }

    public void DropIncoming(IncomingWrite write)
    {
    }

    public void ApplyIncoming(IncomingWrite write)
    {
        void Land()
        {
            int[] data = ((Incoming)write).Data;
            int first = (int)(write.Offset / 4096);
            data.CopyTo(Disk, first);
            Unreadable.RemoveWhere(block => block >= first && block < first + data.Length);
        }

        _pair.Add(this, "apply", () =>
        {
            if (FailsWrites)
            {
                Replica.IncomingDone(write, 5);
                return;
            }

            Land();
            Replica.IncomingDone(write, 0);
        }, Land);
    }

    /// <summary>
    /// The process (or with it the host) dies and starts again. Of what was under way anything may have been
    /// done; a power cut also loses any part of what no flush covered.
    /// </summary>
    public void Crash(Random random, bool powerCut)
    {
        foreach (ManualStep step in _pair.TakeAll(this).Where(s => s.Land is not null && random.Next(2) == 0))
        {
            step.Land!();
        }

        for (int i = 0; powerCut && i < Disk.Length; i++)
        {
            Disk[i] = Disk[i] == _durable[i] || random.Next(2) == 0 ? Disk[i] : _durable[i];
            _durable[i] = Disk[i];
        }

        _map = CopyOf(_storedMap, Stored[0].DataBytes);
        foreach (uint extent in _storedLog)
        {
            long from = extent * (long)Limits.ExtentBytes;
            _map.MarkRange(from, Math.Min(Limits.ExtentBytes, _map.VolumeBytes - from));
        }

        _storedMap = CopyOf(_map, _map.VolumeBytes);
        _storedLog = [];
        _isFlushing = false;
        IsConnected = false;
        CopiesInUse = 0;
        _boots += powerCut ? 1 : 0;
        while (_map.TakeChangedPage() >= 0)
        {
        }

        Replica = new Replica(
            _settings with
            {
                Boot = BootOf(_settings.Node, _boots),
            },
            this, [.. Stored], [_map]);
    }

    /// <summary>The process starts again and finds something else stored.</summary>
    public void Rewrite(Func<Superblock, Superblock> change)
    {
        Stored = [change(Stored[0])];
        Crash(new Random(1), powerCut: false);
    }

    public long FindRoom(int volume, out string? obstacle)
    {
        obstacle = null;
        return Room;
    }

    public long RoomBytes(int volume) => Room;

    public void MakeRoom(int volume, long dataBytes, Action<int> made) =>
        _pair.Add(this, "room", () => made(dataBytes <= Room ? 0 : 28));

    public void VolumesGrew() => Growths++;

    /// <summary>As the metadata on a disk is read by the size that the superblock says.</summary>
    private static DirtyMap CopyOf(DirtyMap from, long volumeBytes)
    {
        var copy = new DirtyMap(volumeBytes);
        byte[] bits = new byte[DirtyMap.PageBytes];
        for (int page = 0; page < Math.Min(copy.PageCount, from.PageCount); page++)
        {
            from.CopyPage(page, bits);
            copy.LoadPage(page, bits);
        }

        return copy;
    }

    private static BootId BootOf(NodeId node, int number) =>
        new(new Guid(number, 1, 1, node.Value.ToByteArray()[..8]));

    public void SendAcknowledgement(long sequence) => Send(() => Peer.Replica.PeerAcknowledged(sequence));

    public void SendReceived(long sequence)
    {
        Received.Add(sequence);
        Send(() => Peer.Replica.PeerReceived(sequence));
    }

    public void SendDurable(long throughSequence) => Send(() => Peer.Replica.PeerDurable(throughSequence));

    public void SendMessage(PeerMessage message) => Send(() => Peer.Replica.PeerSaid(message));

    public void CloseLink(string reason, bool operatorNeeded)
    {
        Events.Add($"close {reason}");
        _pair.Add(this, "close", () => _pair.LinkDown(run: false));
    }

    public void ClaimSession(SessionId session)
    {
        Claims.Add(session);
        Claimed?.Invoke(session);
    }

    /// <summary>Control messages that were sent and not delivered.</summary>
    public List<ControlMessage> Controls { get; } = [];

    /// <summary>Takeovers that this node began by itself.</summary>
    public List<string> Takeovers { get; } = [];

    public int GatewayQuestions { get; private set; }

    /// <summary>Told of each question to the gateway.</summary>
    public Action<long> GatewayAsked { get; set; } = _ => { };

    /// <summary>Told when a takeover begins.</summary>
    public Action TakeoverBegun { get; set; } = () => { };

    /// <summary>Told of each control message that is sent.</summary>
    public Action<ControlMessage> ControlSent { get; set; } = _ => { };

    /// <summary>Told of each change of role.</summary>
    public Action<Role> RoleTaken { get; set; } = _ => { };

    public void SendControl(ControlMessage message)
    {
        Controls.Add(message);
        ControlSent(message);
    }

    public void AskGateway(long question)
    {
        GatewayQuestions++;
        GatewayAsked(question);
    }

    public void TakeOver(string reason, bool resumes)
    {
        Takeovers.Add(reason);
        TakeoverBegun();
    }

    public void SwitchOver(string reason) => Events.Add($"switchover {reason}");

    public void WantAddresses(bool wanted, string reason) => Events.Add($"addresses {wanted} {reason}");

    public void RoleChanged(Role role, string reason)
    {
        Events.Add($"role {role} {reason}");
        RoleTaken(role);
    }

    public void PeerRequestsRole()
    {
        Events.Add("peer requests role");
        RoleWanted();
    }

    public void Raise(string kind, string message) => Events.Add($"{kind} {message}");

    public void Changed()
    {
    }

    /// <summary>For what a confused peer would say.</summary>
    public void Say(PeerMessage message)
    {
        SendMessage(message);
        _pair.Run();
    }

    private void Send(Action arrive)
    {
        if (IsConnected)
        {
            _pair.Add(this, "send", arrive);
        }
    }

    private void Arrive(Incoming write) => Refuse(Peer.Replica.IncomingArrived(write));

    private void Refuse(string? error)
    {
        if (error is not null)
        {
            Peer.CloseLink($"protocol error: {error}", false);
        }
    }

    private sealed class Copy : ResyncCopy
    {
        public int[] Data { get; set; } = [];
    }

    private sealed class Incoming : IncomingWrite
    {
        public int[] Data { get; init; } = [];
    }
}
