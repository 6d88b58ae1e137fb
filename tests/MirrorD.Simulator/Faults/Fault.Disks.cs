using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Faults;

/// <content>What disks do, and what a power cut leaves of them.</content>
internal sealed partial class Fault
{
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
    /// under way when the next one has long brought something newer for the same place. In modes memory and async its Primary is
    /// mostly gone then: what it has told its clients is on no other disk yet when the Standby could take over.
    /// </summary>
    private void StallAFew(SimulatedNodeState standby)
    {
        bool losesPrimary = simulation.Scenario.Mode != ReplicationMode.Sync && random.Percent(75);
        int percent = (int)(losesPrimary ? random.Between(20, 60) : random.Between(2, 12));
        long longestNs = random.Between(2000, 5000) * Millisecond;
        Array.ForEach(standby.Copies, copy =>
            copy.Data.Stutter = (percent, longestNs, 1, copy.Placement.DataBytes - 1));
        long stallsNs = random.Between(50, 400) * Millisecond;
        if (losesPrimary)
        {
            simulation.World.Schedule(stallsNs, () => LosePrimary(standby));
        }
        else
        {
            ResetAfter(stallsNs);
        }

        simulation.World.Schedule(stallsNs, () => Hasten(standby));
    }

    private void LosePrimary(SimulatedNodeState standby)
    {
        if (!injector.IsStopped)
        {
            BreakNetworks(FaultKind.Isolation, simulation.PeerOf(standby));
        }
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
            Rot(withMap ?? node.Copies[random.Below(node.Copies.Length)], isPage: withMap is not null);
        }

        AfterAWhile(() => simulation.StartNode(node));
    }

    /// <summary>
    /// One superblock slot or one page of the dirty map goes bad. (A log transaction is not damaged: the
    /// newest one can't be told from one that was torn before anything relied on it.) A slot stays as it is when the
    /// other one was torn just before: nothing survives the loss of both.
    /// </summary>
    private void Rot(VolumeCopy copy, bool isPage)
    {
        int slot = isPage ? -1 : random.Below(MetadataLayout.SuperblockSlots);
        long block = isPage ? new MetadataLayout(copy.Placement.DataBytes).PageOffset(0)
            : MetadataLayout.SuperblockOffset(slot);
        byte[] bytes = new byte[Stamp.SectorBytes];
        long at = copy.Placement.MetadataOffset + block + random.Below(8) * Stamp.SectorBytes;
        copy.Metadata.Peek(at, bytes);
        bytes[random.Below(bytes.Length)] ^= (byte)(1 << random.Below(8));
        if (!isPage && !IsIntact(copy, 1 - slot))
        {
            return;
        }

        injector.HasRotted = true;
        copy.Metadata.Put(at, bytes);
        simulation.Note($"{copy.Metadata.Name}: bit rot at {at}");
        simulation.Tally.Faults.Add((FaultKind.BitRot, simulation.World.NowNs));
    }

    private static bool IsIntact(VolumeCopy copy, int slot)
    {
        byte[] block = new byte[MetadataLayout.BlockBytes];
        copy.Metadata.Peek(copy.Placement.MetadataOffset + MetadataLayout.SuperblockOffset(slot), block);
        return SuperblockCodec.TryDecode(block).Superblock is not null;
    }
}
