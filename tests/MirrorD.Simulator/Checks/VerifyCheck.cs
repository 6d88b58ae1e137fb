using MirrorD.Core.Verify;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// An operator who verifies now and then, disks that rot meanwhile in a region that no client uses, and checks on what a verify
/// says: each range is looked at on both disks when it was compared, while it is still held. At the end of a seed everything
/// is compared and repaired. All is drawn from numbers of its own, in seeds that have verifies.
/// </summary>
public sealed class VerifyCheck
{
    private const int BlockBytes = 4096;
    private const int SectorBytes = SimulatedDisk.SectorBytes;
    private const long Second = 1_000_000_000;

    private readonly PairSimulation _simulation;
    private readonly SeededRandom _random;
    private readonly Dictionary<VerifyRange, long> _begunAtStep = [];
    private readonly Dictionary<(int Volume, long Block), long> _rottenAtStep = [];
    private bool _isRotting;
    private bool _isStopped;

    /// <summary>Prepares the region.</summary>
    public VerifyCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        _random = new SeededRandom(simulation.Scenario.Seed ^ 0x726f74);
        if (!IsWanted)
        {
            return;
        }

        foreach (CopyComparison comparison in simulation.Comparisons)
        {
            comparison.ReservedFrom = comparison.Blocks - simulation.Scenario.ReservedBytes / BlockBytes;
            comparison.ReservedChanged = block => RequireCovered(comparison, block);
        }
    }

    private bool IsWanted => _simulation.Scenario.VerifyEveryNs > 0;

    /// <summary>Begins.</summary>
    public void Start()
    {
        if (IsWanted)
        {
            Rot();
            ScheduleNext();
        }
    }

    /// <summary>No more verifies, and no more rot.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>A range of a verify is held, or was compared and is still held.</summary>
    public void Stepped(SimulatedNodeState node, VerifyRange range, VerifyOutcome outcome)
    {
        if (outcome == VerifyOutcome.Begun)
        {
            _begunAtStep[range] = _simulation.World.Steps;
            return;
        }

        _begunAtStep.Remove(range, out long begunAtStep);
        _simulation.Tally.Verified++;
        long first = range.Offset / BlockBytes;
        long end = (range.Offset + range.LengthBytes) / BlockBytes;
        CopyComparison comparison = _simulation.Comparisons[range.Volume];
        bool differs = comparison.Differing.Any(block => block >= first && block < end);
        bool wasChanged = _simulation.PeerOf(node).LostPowerAtStep >= begunAtStep
            || _rottenAtStep.Any(rotten => rotten.Key.Volume == range.Volume && rotten.Key.Block >= first
                && rotten.Key.Block < end && rotten.Value >= begunAtStep);
        string where = $"{range.LengthBytes} bytes at {range.Offset} of volume {range.Volume}";
        if (outcome == VerifyOutcome.Differs && !differs && !wasChanged)
        {
            throw new RuleBroken("verify", $"{node.Name} finds that {where} differ, and they are equal on both disks");
        }

        if (outcome == VerifyOutcome.Same && differs && !wasChanged)
        {
            throw new RuleBroken("verify", $"{node.Name} finds that {where} are equal, and they differ");
        }

        _simulation.Tally.FoundDifferent += outcome == VerifyOutcome.Differs ? 1 : 0;
    }

    /// <summary>Quiet and joined: everything is compared, what differs is found, and equal afterwards.</summary>
    public void RunLast(SimulatedNodeState server)
    {
        if (!IsWanted)
        {
            return;
        }

        if (server.Status!.Verify is { EndedNs: null })
        {
            Run(server, new ResourceCommand.StopVerify());
        }

        Rot();
        long differing = _simulation.Comparisons.Sum(comparison =>
            comparison.Differing.Select(block => block / 32).Distinct().Count() * 32L * BlockBytes);
        Run(server, new ResourceCommand.Verify(Repair: true));
        bool ended = _simulation.RunUntil(() => server.Status?.Verify is { EndedNs: not null, IsOwn: true }, 300 * Second);
        VerifyPicture found = server.Status?.Verify
            ?? throw new RuleBroken("verify", $"{server.Name} shows nothing of the last verify");
        long total = _simulation.Comparisons.Sum(comparison => comparison.A.Placement.DataBytes);
        if (!ended || found.EndedEarly is not null || found.ComparedBytes != total || found.DifferentBytes != differing
            || found.RepairedBytes != differing)
        {
            throw new RuleBroken("verify", $"{differing} bytes in ranges that differ, of {total}; the last verify, "
                + $"ended {ended}, says {found}");
        }
    }

    private void Run(SimulatedNodeState node, ResourceCommand command)
    {
        CommandOutcome? outcome = null;
        node.Command(command, answered => outcome = answered);
        if (!_simulation.RunUntil(() => outcome is not null, 10 * Second) || !outcome!.Succeeded)
        {
            throw new RuleBroken("verify", $"{node.Name}: {command} of a quiet pair: {outcome?.Message ?? "no answer"}");
        }
    }

    private void ScheduleNext() => _simulation.World.Schedule(
        _random.Between(0, 2 * _simulation.Scenario.VerifyEveryNs),
        () =>
        {
            if (!_isStopped)
            {
                Act();
                ScheduleNext();
            }
        });

    private void Act()
    {
        SimulatedNodeState node = Array.Find(_simulation.Nodes, each => each.Status?.Role == Role.Primary)
            ?? _simulation.Nodes[_random.Below(2)];
        if (_random.Percent(15))
        {
            Rot();
        }

        if (node.IsRunning && node.IsLoaded)
        {
            ResourceCommand command = _random.Percent(5)
                ? new ResourceCommand.StopVerify() : new ResourceCommand.Verify(Repair: _random.Percent(40));
            node.Command(command, _ => { });
        }
    }

    /// <summary>Some bytes of a block turn, on one disk.</summary>
    private void Rot()
    {
        CopyComparison comparison = _simulation.Comparisons[_random.Below(_simulation.Comparisons.Length)];
        long block = comparison.ReservedFrom + _random.Below((int)(comparison.Blocks - comparison.ReservedFrom));
        VolumeCopy copy = _random.Percent(50) ? comparison.A : comparison.B;
        byte[] rot = new byte[SectorBytes];
        _random.Fill(rot);
        _isRotting = true;
        _rottenAtStep[(copy.Volume, block)] = _simulation.World.Steps;
        copy.Data.Put(block * BlockBytes + _random.Below(8) * SectorBytes, rot);
        _isRotting = false;
        _simulation.Note($"{copy.Data.Name}: block {block} rots");
    }

    /// <summary>Nobody writes there but a resync or a repair: what these write is in a sync set, durably, before.</summary>
    private void RequireCovered(CopyComparison comparison, long block)
    {
        if (!_isRotting && comparison.ChecksSyncSet && !comparison.A.StoredDurably.Covers(block)
            && !comparison.B.StoredDurably.Covers(block))
        {
            throw new RuleBroken("verify", $"block {block} of volume {comparison.A.Volume} is copied and is in no sync set");
        }
    }
}
