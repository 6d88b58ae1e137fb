using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Devices;
using MirrorD.Simulator.Oracle;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// One fault, from its begin to its end. It draws from numbers of its own, so that it is the same whatever other faults
/// there are.
/// </summary>
internal sealed partial class Fault(PairSimulation simulation, FaultInjector injector, SeededRandom random)
{
    private const long Millisecond = 1_000_000;

    private Networks Networks => simulation.Networks;

    /// <summary>Begins now.</summary>
    public void Begin(FaultKind kind, SimulatedNodeState node)
    {
        switch (kind)
        {
            case FaultKind.Kill:
                Kill(node);
                break;
            case FaultKind.PowerCut when random.Percent(50):
                WhenStoring(node, () => CutPower(node));
                break;
            case FaultKind.PowerCut:
                CutPower(node);
                break;
            case FaultKind.BothPowerCut:
                CutPower(simulation.Nodes[0]);
                CutPower(simulation.Nodes[1]);
                break;
            case FaultKind.Reset:
                simulation.World.Network.Reset("a", "b");
                break;
            case FaultKind.PlannedStop:
                simulation.Operator.StopNode(node);
                break;
            case FaultKind.Pause:
                node.Pause(Duration() / 2);
                break;
            case FaultKind.StuckLoop:
                node.Stick(Duration() / 2);
                break;
            case FaultKind.ClockJump:
                node.JumpClock(Duration() / 4);
                break;
            case FaultKind.Flap:
                Flap();
                break;
            case FaultKind.HastyReturn:
                ReturnHastily();
                break;
            case FaultKind.ArbiterAway:
                LoseArbiter(simulation.Arbiter.CutOff, node);
                break;
            case FaultKind.ArbiterMute:
                LoseArbiter(simulation.Arbiter.AnswersLost, node);
                break;
            case FaultKind.Restart:
                WhenBusy(Restart);
                break;
            case FaultKind.QuickKill:
                WhenBusy(KillForAMoment);
                break;
            case FaultKind.DeviceCut:
                WhenBusy((_, device) => device.CutLink());
                break;
            case FaultKind.TakeoverDeath:
                DieAfterTakeover(node);
                break;
            case FaultKind.TargetPowerCut:
                simulation.World.Schedule(random.Below(random.Percent(70) ? 30 : 1000) * Millisecond, () =>
                {
                    if (!injector.IsStopped && node.IsRunning)
                    {
                        CutPower(node);
                    }
                });
                break;
            case FaultKind.SlowDisk:
                SlowDown(node);
                break;
            case FaultKind.GatewayDeath:
                Networks.GatewayIsDead = true;
                AfterAWhile(() => Networks.GatewayIsDead = false);
                break;
            default:
                BreakNetworks(kind, node);
                break;
        }
    }

    /// <summary>
    /// A node that has taken over ends and is back soon, and the old Primary finds a way to it, but not that of the link.
    /// </summary>
    private void DieAfterTakeover(SimulatedNodeState node)
    {
        simulation.World.Schedule(random.Below(300) * Millisecond, () =>
        {
            if (injector.IsStopped || !node.IsRunning)
            {
                return;
            }

            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            simulation.World.Schedule(random.Below(100) * Millisecond, () => simulation.StartNode(node));
            Networks.Cut(Networks.Dedicated, "a", "b");
            AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
            simulation.World.Schedule(random.Below(600) * Millisecond, () =>
            {
                Networks.RestoreCarrier(node.PeerName);
                Networks.Mend(Networks.Production, "a", "b");
            });
        });
    }

    private void BreakNetworks(FaultKind kind, SimulatedNodeState node)
    {
        simulation.Tally.Cuts++;
        switch (kind)
        {
            case FaultKind.DedicatedCut:
                Networks.Cut(Networks.Dedicated, "a", "b");
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
                break;
            case FaultKind.DedicatedOneWay:
                Networks.CutOneWay(Networks.Dedicated, node.Name, node.PeerName);
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
                break;
            case FaultKind.ProductionCut:
                Networks.Cut(Networks.Production, "a", "b");
                AfterAWhile(() => Networks.Mend(Networks.Production, "a", "b"));
                break;
            case FaultKind.ProductionOneWay:
                Networks.CutOneWay(Networks.Production, node.Name, node.PeerName);
                AfterAWhile(() => Networks.Mend(Networks.Production, "a", "b"));
                break;
            case FaultKind.OneWayPartition:
                Networks.CutOneWay(Networks.Dedicated, node.Name, node.PeerName);
                Networks.CutOneWay(Networks.Production, node.Name, node.PeerName);
                MendLater();
                break;
            case FaultKind.CarrierLoss:
                LoseCarrier(node);
                break;
            case FaultKind.Isolation:
                Networks.Cut(Networks.Dedicated, "a", "b");
                LoseCarrier(node);
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
                break;
            case FaultKind.Partition:
                string[] others = [Networks.Client, Networks.Gateway, Networks.Arbiter];
                Networks.Partition([.. others.Where(_ => random.Percent(50))]);
                MendLater();
                break;
        }
    }

    /// <summary>Both networks come back, one after the other or at once.</summary>
    private void MendLater()
    {
        if (random.Percent(50))
        {
            AfterAWhile(Networks.MendNetworks);
            return;
        }

        AfterAWhile(() => Networks.Mend(random.Percent(50) ? Networks.Dedicated : Networks.Production, "a", "b"));
        AfterAWhile(Networks.MendNetworks);
    }

    private void LoseCarrier(SimulatedNodeState node)
    {
        Networks.LoseCarrier(node.Name);
        AfterAWhile(() =>
        {
            Networks.RestoreCarrier(node.Name);
            node.Host?.CarrierIsBack();
        });
    }

    private void LoseArbiter(HashSet<string> lost, SimulatedNodeState node)
    {
        SimulatedNodeState[] nodes = random.Percent(40) ? simulation.Nodes : [node];
        Array.ForEach(nodes, each => lost.Add(each.Name));
        AfterAWhile(() => Array.ForEach(nodes, each => lost.Remove(each.Name)));
    }

    private void Kill(SimulatedNodeState node)
    {
        if (node.IsRunning)
        {
            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            ScheduleStart(node);
        }
    }

    /// <summary>Strikes while a device of the node that serves has requests under way.</summary>
    private void WhenBusy(Action<SimulatedNodeState, KernelDevice> strike)
    {
        if (Array.Find(simulation.Nodes, node => node.Status?.Role == Role.Primary) is { } server)
        {
            KernelDevice device = server.Devices[random.Below(server.Devices.Length)];
            device.WhenBusy(() =>
            {
                if (!injector.IsStopped)
                {
                    strike(server, device);
                }
            });
        }
    }

    private void KillForAMoment(SimulatedNodeState node, KernelDevice device)
    {
        if (node.IsRunning)
        {
            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            StartSoon(node);
        }
    }

    private void StartSoon(SimulatedNodeState node) => simulation.World.Schedule(
        random.Between(10, random.Percent(70) ? 200 : 2000) * Millisecond,
        () => simulation.StartNode(node));

    /// <summary>What clients ask for may be held for long: then the daemon ends all the same.</summary>
    private void Restart(SimulatedNodeState node, KernelDevice device)
    {
        SimulatedLoop? loop = node.Loop;
        if (loop is null)
        {
            return;
        }

        simulation.Tally.Restarts++;
        node.Finish(() => simulation.World.Schedule(0, Exit));
        simulation.World.Schedule(random.Between(200, 3000) * Millisecond, Exit);

        void Exit()
        {
            if (node.Loop == loop)
            {
                simulation.NodeDies(node, cutsPower: false);
                StartSoon(node);
            }
        }
    }

    /// <summary>
    /// Mostly a part of the data; sometimes the whole disk, metadata included. What is under way there when the link is lost
    /// belongs to no connection any more.
    /// </summary>
    private void SlowDown(SimulatedNodeState node)
    {
        if (random.Percent(50) && Standbys() is [var standby, ..])
        {
            StallAFew(standby);
            return;
        }

        bool isPart = random.Percent(70);
        int percent = isPart ? (int)random.Between(20, 80) : (int)random.Between(5, 40);
        long longestNs = random.Between(50, 3000) * Millisecond;
        foreach (VolumeCopy copy in node.Copies)
        {
            long length = isPart ? copy.Placement.DataBytes / random.Between(1, 4) : long.MaxValue / 2;
            long offset = isPart ? random.Below(copy.Placement.DataBytes - length + 1) : 0;
            SetStutter(copy, (percent, longestNs, offset, length));
        }

        AfterAWhile(() => Hasten(node));
        if (random.Percent(60))
        {
            ResetAfter(random.Between(20, 400) * Millisecond);
        }
    }

    /// <summary>
    /// A few operations of a Standby take seconds, all others are as fast as ever: what the lost link left behind is still
    /// under way when the next one has long brought something newer for the same place.
    /// </summary>
    private void StallAFew(SimulatedNodeState standby)
    {
        int percent = (int)random.Between(2, 12);
        long longestNs = random.Between(2000, 5000) * Millisecond;
        Array.ForEach(standby.Copies, copy =>
            copy.Data.Stutter = (percent, longestNs, 1, copy.Placement.DataBytes - 1));
        long stallsNs = random.Between(50, 400) * Millisecond;
        ResetAfter(stallsNs);
        simulation.World.Schedule(stallsNs, () => Hasten(standby));
    }

    private void ResetAfter(long afterNs) => simulation.World.Schedule(afterNs, () =>
    {
        if (!injector.IsStopped)
        {
            simulation.World.Network.Reset("a", "b");
        }
    });

    /// <summary>The node's disks are as fast as before.</summary>
    public static void Hasten(SimulatedNodeState node) =>
        Array.ForEach(node.Copies, copy => SetStutter(copy, default));

    private static void SetStutter(VolumeCopy copy, (int, long, long, long) stutter)
    {
        copy.Data.Stutter = stutter;
        copy.Metadata.Stutter = stutter;
    }

    /// <summary>Strikes while a superblock is being written, or in the end without.</summary>
    private void WhenStoring(SimulatedNodeState node, Action strike)
    {
        SimulatedLoop? loop = node.Loop;
        VolumeCopy copy = node.Copies[random.Below(node.Copies.Length)];
        bool isOver = false;
        copy.Metadata.Submitted += Watch;
        Within(random.Between(500, 3000) * Millisecond);

        void Watch(long offset, long length)
        {
            if (offset >= copy.Placement.MetadataOffset
                && offset < copy.Placement.MetadataOffset + MetadataLayout.LogOffset)
            {
                Within(random.Below(simulation.Scenario.DiskNs));
            }
        }

        void Within(long delayNs) => simulation.World.Schedule(delayNs, () =>
        {
            if (!isOver)
            {
                isOver = true;
                copy.Metadata.Submitted -= Watch;
                if (!injector.IsStopped && node.Loop == loop)
                {
                    strike();
                }
            }
        });
    }

    private void CutPower(SimulatedNodeState node)
    {
        simulation.Tally.PowerCuts++;
        simulation.NodeDies(node, cutsPower: true);
        ScheduleStart(node);
    }

    private void ScheduleStart(SimulatedNodeState node)
    {
        VolumeCopy? withMap = Array.Find(node.Copies, copy => copy.Stored.HasBlocksOnlyInMap);
        if (!injector.HasRotted && random.Percent(withMap is null ? 8 : 25))
        {
            injector.HasRotted = true;
            Rot(withMap ?? node.Copies[random.Below(node.Copies.Length)], isPage: withMap is not null);
        }

        AfterAWhile(() => simulation.StartNode(node));
    }

    /// <summary>
    /// One superblock slot or one page of the dirty map goes bad. (A log transaction is not damaged: the
    /// newest one can't be told from one that was torn before anything relied on it.)
    /// </summary>
    private void Rot(VolumeCopy copy, bool isPage)
    {
        long block = isPage ? new MetadataLayout(copy.Placement.DataBytes).PageOffset(0)
            : MetadataLayout.SuperblockOffset(random.Below(MetadataLayout.SuperblockSlots));
        byte[] bytes = new byte[Stamp.SectorBytes];
        long at = copy.Placement.MetadataOffset + block + random.Below(8) * Stamp.SectorBytes;
        copy.Metadata.Peek(at, bytes);
        bytes[random.Below(bytes.Length)] ^= (byte)(1 << random.Below(8));
        copy.Metadata.Put(at, bytes);
        simulation.Note($"{copy.Metadata.Name}: bit rot at {at}");
        simulation.Tally.Faults.Add(nameof(FaultKind.BitRot));
    }

    private void AfterAWhile(Action action) => simulation.World.Schedule(Duration(), action);

    private long Duration() => random.Below(4) switch
    {
        > 0 when simulation.Scenario.HasLongFaults => random.Between(800, 5000) * Millisecond,
        0 => random.Between(1, 50) * Millisecond,
        1 or 2 => random.Between(50, 1500) * Millisecond,
        _ => random.Between(1500, 8000) * Millisecond,
    };
}
