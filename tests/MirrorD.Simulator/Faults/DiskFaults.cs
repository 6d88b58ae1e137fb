using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// Disks that fail, hang or can't read a range; one at a time, drawn from numbers of their own, so that seeds
/// without them stay as they are. A fault begins to bite only while both nodes are joined: the copy of a node that goes on
/// alone is the only one, and its loss is nothing that a pair could mend. Some time after that the disk works again; then
/// an operator gives the role to the other node, if it is here, and takes the disk into use, or starts the daemon anew.
/// </summary>
public sealed class DiskFaults(PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;
    private const int UnreadableRanges = 60;

    private readonly SeededRandom _random = new(simulation.Scenario.Seed ^ 0x6469736b5f6c6f73);
    private readonly HashSet<long> _badSectors = [];
    private SimulatedNodeState? _hurt;
    private VolumeCopy? _copy;
    private DiskFaultKind _kind;
    private bool _bites;
    private bool _isStopped;

    /// <summary>A copy was lost.</summary>
    public bool HasBitten { get; private set; }

    /// <summary>Begins.</summary>
    public void Start()
    {
        if (simulation.Scenario.DiskFaultEveryNs > 0)
        {
            ScheduleNext();
            LookAfter();
        }
    }

    /// <summary>No more faults; what is broken is mended, and taken into use again.</summary>
    public void Stop()
    {
        _isStopped = true;
        Mend();
    }

    /// <summary>A daemon starts: one whose disk can't even be read would not.</summary>
    public void Starting(SimulatedNodeState node)
    {
        if (_hurt == node)
        {
            Mend();
        }
    }

    private void ScheduleNext() => simulation.World.Schedule(
        _random.Between(0, 2 * simulation.Scenario.DiskFaultEveryNs),
        () =>
        {
            if (!_isStopped)
            {
                if (_hurt is null && AreJoined())
                {
                    Hurt();
                }

                ScheduleNext();
            }
        });

    private bool AreJoined() => simulation.Nodes.All(node => node.Status is
    {
        Link: LinkState.Joined, DiskState: DiskState.UpToDate,
    });

    private void Hurt()
    {
        _kind = _random.Percent(25) ? DiskFaultKind.UnreadableRange
            : (DiskFaultKind)_random.Below(Enum.GetValues<DiskFaultKind>().Length);
        SimulatedNodeState node = simulation.Nodes[_random.Below(2)];
        if (_kind == DiskFaultKind.UnreadableRange)
        {
            // Who does not serve reads nothing.
            node = Array.Find(simulation.Nodes, each => each.Status!.Role == Role.Primary) ?? node;
        }

        _hurt = node;
        _copy = node.Copies[_random.Below(node.Copies.Length)];
        _bites = false;
        if (simulation.Scenario.Mode != ReplicationMode.Sync && node.Status!.Role == Role.Primary && _random.Percent(60))
        {
            Delay(simulation.PeerOf(node), () => Strike(node));
        }
        else
        {
            Strike(node);
        }
    }

    /// <summary>
    /// The other disk is slow first, though not too slow for its limit: what clients were told is on none but the one that
    /// fails next.
    /// </summary>
    private void Delay(SimulatedNodeState standby, Action strike)
    {
        SimulatedNodeState hurt = _hurt!;
        long longestNs = simulation.Scenario.DiskTimeoutMs * Millisecond / 2;
        Array.ForEach(standby.Copies, copy => copy.Data.Stutter = (50, longestNs, 1, copy.Placement.DataBytes - 1));
        long delayNs = _random.Between(20, 200) * Millisecond;
        simulation.World.Schedule(delayNs, () =>
        {
            if (_hurt == hurt && AreJoined())
            {
                strike();
            }
            else if (_hurt == hurt)
            {
                Mend();
            }
        });
        simulation.World.Schedule(delayNs + _random.Between(20, 200) * Millisecond,
            () => Array.ForEach(standby.Copies, copy => copy.Data.Stutter = default));
    }

    private void Strike(SimulatedNodeState node)
    {
        simulation.Note($"{_copy!.Data.Name}: {_kind}");
        switch (_kind)
        {
            case DiskFaultKind.Detach:
                Bites();
                node.Command(new ResourceCommand.Detach(), _ => { });
                break;
            case DiskFaultKind.Hang or DiskFaultKind.HangWithMetadata:
                Bites();
                _copy.Data.Hangs = true;
                _copy.Metadata.Hangs |= _kind == DiskFaultKind.HangWithMetadata;
                break;
            case DiskFaultKind.UnreadableRange:
                MakeUnreadable();
                _copy.Data.Fault = Fault;
                break;
            default:
                _copy.Data.Fault = Fault;
                _copy.Metadata.Fault = Fault;
                break;
        }

        SimulatedNodeState hurt = node;
        long lastsNs = _random.Between(200, 2000 + 2 * simulation.Scenario.DiskTimeoutMs) * Millisecond;
        simulation.World.Schedule(lastsNs, () =>
        {
            if (_hurt == hurt)
            {
                Mend();
            }
        });
    }

    private void Bites()
    {
        if (!_bites)
        {
            _bites = true;
            HasBitten |= _kind != DiskFaultKind.UnreadableRange;
            simulation.Tally.DiskFaults.Add(_kind.ToString());
            simulation.Note($"{_copy!.Data.Name}: {_kind} bites");
            if (_random.Percent(40))
            {
                SimulatedNodeState keeper = simulation.PeerOf(_hurt!);
                simulation.World.Schedule(_random.Between(50, 2000) * Millisecond, () => StrikeKeeper(keeper));
            }
        }
    }

    /// <summary>The node with the only copy ends while the other one goes on with it, and is soon back.</summary>
    private void StrikeKeeper(SimulatedNodeState keeper)
    {
        if (_isStopped || keeper.Status is not { Link: LinkState.Diskless, DiskState: DiskState.UpToDate })
        {
            return;
        }

        bool cutsPower = _random.Percent(60);
        simulation.Tally.PowerCuts += cutsPower ? 1 : 0;
        simulation.Tally.Crashes += cutsPower ? 0 : 1;
        simulation.NodeDies(keeper, cutsPower);
        simulation.World.Schedule(_random.Between(10, 600) * Millisecond, () => simulation.StartNode(keeper));
    }

    private void MakeUnreadable()
    {
        _badSectors.Clear();
        long[] blocks = [.. simulation.Comparisons[_copy!.Volume].Touched];
        for (int i = blocks.Length == 0 ? UnreadableRanges : 0; i < UnreadableRanges; i++)
        {
            long first = blocks[_random.Below(blocks.Length)] * 8 + _random.Below(8);
            for (int sectors = 1 + _random.Below(16); sectors > 0; sectors--)
            {
                _badSectors.Add(first++);
            }
        }
    }

    private int Fault(OperationKind kind, long offset, long length)
    {
        bool isData = offset < _copy!.Placement.DataBytes || _copy.Data != _copy.Metadata;
        bool mutates = kind is OperationKind.Write or OperationKind.Zero or OperationKind.Discard;
        if (_kind == DiskFaultKind.UnreadableRange)
        {
            return FaultOfReads(kind, offset, length);
        }

        bool fails = _kind switch
        {
            DiskFaultKind.Writes => mutates && isData,
            DiskFaultKind.WritesOfAll => mutates,
            DiskFaultKind.Flushes => kind == OperationKind.Flush,
            DiskFaultKind.Full => mutates && isData,
            _ => false,
        };
        if (!fails || (!_bites && !AreJoined()))
        {
            return 0;
        }

        Bites();
        return _kind == DiskFaultKind.Full ? Errno.ENOSPC : Errno.EIO;
    }

    private int FaultOfReads(OperationKind kind, long offset, long length)
    {
        long first = offset / SimulatedDisk.SectorBytes;
        long end = (offset + length) / SimulatedDisk.SectorBytes;
        if (kind is OperationKind.Write or OperationKind.Zero)
        {
            _badSectors.RemoveWhere(sector => sector >= first && sector < end);
        }
        else if (kind == OperationKind.Read && AreJoined() && _badSectors.Any(sector => sector >= first && sector < end))
        {
            Bites();
            return Errno.EIO;
        }

        return 0;
    }

    private void Mend()
    {
        if (_hurt is null)
        {
            return;
        }

        simulation.Note($"{_copy!.Data.Name}: works again");
        _copy.Data.Fault = null;
        _copy.Metadata.Fault = null;
        _copy.Data.Hangs = false;
        _copy.Metadata.Hangs = false;
        _hurt = null;
    }

    private bool IsHanging => _kind is DiskFaultKind.Hang or DiskFaultKind.HangWithMetadata;

    /// <summary>An operator who looks after nodes whose disks are out of use.</summary>
    private void LookAfter()
    {
        simulation.World.Schedule(_random.Between(150, 600) * Millisecond, LookAfter);
        SimulatedNodeState? node = Array.Find(simulation.Nodes, each =>
            (each != _hurt || IsHanging) && each.IsAwake && each.Status?.DiskState <= DiskState.Failed);
        if (node is null)
        {
            return;
        }

        if (node.Status!.Role == Role.Primary && node.Status.HoldUp?.State is "Diskless" or "FrozenNoDisk" or "FrozenNoArbiter")
        {
            if (node.Status.Link == LinkState.Diskless)
            {
                simulation.Operator.SwitchOver(node);
            }
        }
        else if (node.Status.Role == Role.Standby && _random.Percent(70))
        {
            node.Command(new ResourceCommand.Attach(), _ => { });
        }
        else if (_random.Percent(40))
        {
            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            simulation.StartNode(node);
        }
    }
}
