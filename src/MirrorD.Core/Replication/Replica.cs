using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Core.Metadata;
using MirrorD.Core.Resync;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Replication;

/// <summary>Which way a primary's requests take.</summary>
public enum WritePath
{
    /// <summary>Requests are held: no decision yet, a handshake, or a change of role.</summary>
    Closed,
    /// <summary>Mutations go to both copies.</summary>
    Mirrored,
    /// <summary>Mutations go to the local copy alone, under a proof.</summary>
    Alone,
    /// <summary>This node has no disk: reads and mutations go to the peer's copy alone.</summary>
    Remote,
}

/// <summary>How far the link is (safety contract, section 4).</summary>
public enum LinkPhase
{
    /// <summary>No link.</summary>
    Down,
    /// <summary>J0 to J2: handshake, both sides store what they have to.</summary>
    Joining,
    /// <summary>J3 to J6 on the side whose data counts.</summary>
    Source,
    /// <summary>J3 to J6 on the side that is brought up to date.</summary>
    Target,
    /// <summary>Both UpToDate in the same session.</summary>
    Joined,
}

/// <summary>What a replica is told about its place.</summary>
/// <param name="Resource">Resource name.</param>
/// <param name="Node">This node.</param>
/// <param name="NodeName">Its name.</param>
/// <param name="PeerName">The peer's name.</param>
/// <param name="Boot">This run of the host.</param>
/// <param name="HasArbiter">An arbiter is configured.</param>
/// <param name="OnPeerLoss">What a Primary without arbiter does when every path is lost.</param>
/// <param name="ResyncBytesPerSecond">Ceiling of the resync rate; 0: none.</param>
/// <param name="LinkTimeoutNs">A link is given up when nothing was heard for so long; the same on both nodes.</param>
public sealed record ReplicaSettings(
    string Resource, NodeId Node, string NodeName, string PeerName, BootId Boot, bool HasArbiter,
    PeerLoss OnPeerLoss, long ResyncBytesPerSecond, long LinkTimeoutNs = 0)
{
    /// <summary>A Standby takes over by itself where the rules allow it.</summary>
    public bool Autoswitch { get; init; }

    /// <summary>What a Standby waits in addition once it may take over.</summary>
    public long TakeoverDelayNs { get; init; }

    /// <summary>A peer that has not answered for so long can't be asked: both networks count as lost.</summary>
    public long OutdateTimeoutNs { get; init; } = 2_000_000_000;

    /// <summary>prefer-connected-node: auto.</summary>
    public bool FollowsProduction { get; init; }

    /// <summary>Extents of the activity log of each volume that may be active at once: what a transaction holds.</summary>
    public int ActiveExtents { get; init; } = Limits.ActiveExtents;

    /// <summary>Copies of a resync that have ended before both sides flush.</summary>
    public int CopiesPerFlush { get; init; } = Limits.CopiesPerFlush;

    /// <summary>Ceiling of the rate of a verify; 0: none.</summary>
    public long VerifyBytesPerSecond { get; init; }

    /// <summary>When clients hear of a mirrored write.</summary>
    public ReplicationMode Mode { get; init; } = ReplicationMode.Sync;

    /// <summary>Mode async: bytes of mutations at once that are sent and not completed by the peer.</summary>
    public long AheadBytes { get; init; } = 16 << 20;

    /// <summary>Mode async: nothing more is sent while an answer is older than this and the peer lacks the write.</summary>
    public long AheadNs { get; init; } = 5_000_000_000;

    /// <summary>Down to this rate a resync yields to clients' requests; 0: it does not yield.</summary>
    public long ResyncFloorBytesPerSecond { get; init; }

    /// <summary>A resync compares hashes before it sends data.</summary>
    public bool ResyncByChecksum { get; init; }

    /// <summary>A whole copy is kept as a snapshot while a resync overwrites it.</summary>
    public bool SnapshotsTarget { get; init; }

    /// <summary>What may end a split brain without an operator.</summary>
    public SplitBrainPolicy SplitBrainPolicy { get; init; }

    /// <summary>preferred-primary: true for this node, false for the peer, null when none is named.</summary>
    public bool? IsPreferred { get; init; }
}

/// <summary>
/// One node's side of a replicated resource: a deterministic machine. Events are its public methods, effects go
/// to <see cref="IReplicaEffects"/>. States: role (Standby, Primary), write path, link phase; what is durable is in
/// <see cref="State"/>. Rules: safety contract, sections 2 (Requests, Flushes), 4 (Joining, Copies, Incoming) and
/// 5 (Right, Commands). Invariants held here: a mutation is completed only with both copies written (in modes memory and
/// async: Ahead), or alone with proof and generation durable in this order; a link loss moves everything above the durable
/// point into the dirty map; nothing is sent between handshake and J2.
/// </summary>
public sealed partial class Replica
{
    private readonly IReplicaEffects _effects;
    private readonly ReplicaSettings _settings;
    private readonly DirtyMap[] _maps;
    private readonly ActivityLog[] _logs;
    private readonly Queue<(Func<Superblock, Superblock> Change, Action Then)> _stores = new();
    private readonly List<Action> _whenQuiet = [];
    private Superblock[] _stored;
    private bool _isStoring;
    private bool _failureIsBeingStored;
    private bool _failureIsStored;
    private int _busy;

    /// <summary>Makes the machine from what the volumes have stored; volumes have equal resource fields.</summary>
    public Replica(ReplicaSettings settings, IReplicaEffects effects, Superblock[] stored, DirtyMap[] maps)
    {
        _settings = settings;
        _effects = effects;
        _stored = stored;
        _maps = maps;
        _peerMayServeUntilNs = effects.NowNs + settings.LinkTimeoutNs + Limits.LossNoticeNs;
        _rate = new ResyncRate(settings.ResyncFloorBytesPerSecond, settings.ResyncBytesPerSecond);
        _ahead = new AheadWrites(settings.AheadBytes, settings.AheadNs,
            settings.Mode == ReplicationMode.Sync ? 0 : Limits.AheadWrites);
        _logs = new ActivityLog[maps.Length];
        _awaitingLog = new Queue<Volumes.VolumeRequest>[maps.Length];
        _keptAwaitingLog = new Queue<IncomingWrite>[maps.Length];
        _served = Array.ConvertAll(stored, s => s.DataBytes);
        for (int i = 0; i < maps.Length; i++)
        {
            _logs[i] = new ActivityLog(settings.ActiveExtents);
            _awaitingLog[i] = new Queue<Volumes.VolumeRequest>(256);
            _keptAwaitingLog[i] = new Queue<IncomingWrite>(256);
        }
    }

    /// <summary>What is durable; resource fields are those of every volume.</summary>
    public Superblock State => _stored[0];

    /// <summary>Present role.</summary>
    public Role Role { get; private set; } = Role.Standby;

    /// <summary>Present way of requests.</summary>
    public WritePath Path { get; private set; }

    /// <summary>Phase of the link.</summary>
    public LinkPhase Phase { get; private set; }

    /// <summary>Why nothing more is served: a disk or its metadata failed. Null while all is well.</summary>
    public string? Failure { get; private set; }

    /// <summary>The peer's role as last told while connected; null without link.</summary>
    public Role? PeerRole
    {
        get => _peerRole;
        private set
        {
            _peerRole = value;
            if (value is not null)
            {
                _toldBefore = _paths?.Report is { } report ? (report.Role, report.Promotions) : null;
            }
        }
    }

    /// <summary>The dirty map of a volume, for reading.</summary>
    public DirtyMap Map(int volume) => _maps[volume];

    /// <summary>Blocks that the peer may not have, over all volumes.</summary>
    public long DirtyBlocks
    {
        get
        {
            long blocks = 0;
            foreach (DirtyMap map in _maps)
            {
                blocks += map.DirtyBlocks;
            }

            return blocks;
        }
    }

    /// <summary>A proof for the present session is stored (section 5).</summary>
    public bool HasProof => GenerationRules.HasValidProof(State);

    private bool IsLinked => Phase != LinkPhase.Down;

    private bool HasChangedPages
    {
        get
        {
            foreach (DirtyMap map in _maps)
            {
                if (map.HasChangedPages)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Changes the durable state of all volumes; changes run one after the other. <paramref name="then"/> is called
    /// once it is durable, and must look again at whatever may have changed meanwhile.
    /// </summary>
    private void Store(Func<Superblock, Superblock> change, Action then)
    {
        _stores.Enqueue((change, then));
        StoreNext();
    }

    private void StoreNext()
    {
        // One at a time: the next change is made to what this one leaves behind.
        if (_isStoring || _stores.Count == 0 || Failure is not null || IsDiskless)
        {
            return;
        }

        (Func<Superblock, Superblock> change, Action then) = _stores.Dequeue();
        // The store numbers its writes in the same way: one more for each.
        Superblock[] next = Array.ConvertAll(_stored, s => change(s) with { Sequence = s.Sequence + 1 });
        _isStoring = true;
        _busy++;
        _effects.StoreSuperblocks(next, error =>
        {
            _busy--;
            _isStoring = false;
            if (error != 0)
            {
                DiskFailed($"writing the superblock failed with errno {error}");
            }
            else
            {
                _stored = next;
            }

            if (Failure is not null || IsDiskless)
            {
                // Nothing follows from it any more, and who waited has been answered.
                StoreFailure();
                Settle();
                return;
            }

            then();
            _effects.Changed();
            StoreNext();
            SeekRightWhenStored();
            Settle();
        });
    }

    private void StoreDirty(Action then)
    {
        _busy++;
        _effects.StoreDirty(_maps, error =>
        {
            _busy--;
            if (error != 0)
            {
                DiskFailed($"writing the dirty map failed with errno {error}");
                DirtyNotStored();
            }
            else
            {
                then();
            }

            Settle();
        });
    }

    /// <summary>
    /// Runs the action once nothing of this replica is under way: no disk operation, no mutation that waits for the
    /// peer. Dropped when the link changes.
    /// </summary>
    private void WhenQuiet(Action action)
    {
        int link = _link;
        _whenQuiet.Add(() =>
        {
            if (link == _link)
            {
                action();
            }
        });
    }

    /// <summary>Ends every event: what waits for quiet may go on.</summary>
    private void Settle()
    {
        while (_busy == 0 && _issued.Count == 0 && _ahead.Count == 0 && _whenQuiet.Count > 0 && Failure is null)
        {
            Action next = _whenQuiet[0];
            _whenQuiet.RemoveAt(0);
            next();
        }
    }

    /// <summary>
    /// A disk of this node or its metadata can't be trusted any more: nothing is served, sent or acknowledged from
    /// here on; the peer has to go on by its own rules. Requests fail.
    /// </summary>
    private void Fail(string reason)
    {
        if (Failure is not null)
        {
            return;
        }

        Failure = reason;
        _effects.Raise(IsDetached ? "detached" : "disk-failed",
            $"{_settings.Resource}: {reason}; nothing more is served from this node");
        Path = WritePath.Closed;
        _saysFarewell = Role == Role.Standby && Phase == LinkPhase.Joined && PeerRole == Role.Primary;
        _farewellUntilNs = _effects.NowNs + Limits.FarewellNs;
        if (IsLinked && !_saysFarewell)
        {
            _effects.CloseLink(reason, operatorNeeded: true);
        }

        if (Role == Role.Primary)
        {
            // The other node finds nobody at them when it takes over.
            _effects.WantAddresses(false, reason);
        }

        CollectHeld();
        FailHeld();

        // Stores that wait are never made: who waits for them hears of it.
        FinishPromotion(false, reason, "replace the disk");
        FinishDemotion(false, reason, "replace the disk");
        if (!IsDetached)
        {
            FinishDetach(false, reason);
        }

        FailGrowth(reason);
        FinishDisconnect(false, reason);
        FinishConnect(false, reason);
        FinishInvalidation(false, reason);
        FinishStop(false);
        DropKeptWrites();
        StoreFailure();
        _effects.Changed();
    }

    /// <summary>
    /// A later start of the daemon must not take this copy for a good one (safety contract, section 2, rules 5 and 10): it
    /// may lack writes that were acknowledged. As a resync target it gets them back, since none has left the sync set.
    /// </summary>
    private void StoreFailure()
    {
        if (_isStoring || _failureIsBeingStored)
        {
            // The end of a store that is under way comes back here.
            return;
        }

        _failureIsBeingStored = true;
        _isStoring = true;
        _busy++;
        DiskState worst = IsDetached ? DiskState.Outdated : DiskState.Inconsistent;
        Superblock[] next = Array.ConvertAll(_stored, s => s with
        {
            DiskState = s.DiskState > worst ? worst : s.DiskState,
            Sequence = s.Sequence + 1,
        });
        _effects.StoreSuperblocks(next, error =>
        {
            _busy--;
            _isStoring = false;
            if (error == 0)
            {
                _stored = next;
                _failureIsStored = true;
                _effects.Changed();
            }
            else
            {
                _effects.Raise("failure-not-stored", $"{_settings.Resource}: nor could it be stored (errno {error}): "
                    + "don't start this daemon again with this disk");
            }

            FailureStored();
            Settle();
        });
    }
}
