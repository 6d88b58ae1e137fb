using MirrorD.Core.Volumes;
using MirrorD.Engine;
using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator;

/// <content>The phases before and after the faults.</content>
public sealed partial class PairSimulation
{
    private const long Second = 1_000_000_000;

    /// <summary>
    /// Virtual time within which a pair without faults has to be joined with one Primary (I-22), if there is little to copy.
    /// </summary>
    private const long ConvergenceNs = 60 * Second;

    /// <summary>
    /// What it takes to copy everything over the link, which carries a window in each round trip, or fewer bytes while
    /// clients write.
    /// </summary>
    private long LongestResyncNs
    {
        get
        {
            long trips = Scenario.Volumes * Scenario.VolumeBytes
                / Math.Min(World.Network.WindowBytes, Core.Limits.CopiesWhenBusy * Core.Limits.CopyBlocks * Core.Limits.BlockBytes);
            return trips * 2 * (Scenario.NetworkNs + Scenario.DiskNs);
        }
    }

    private void PrepareDisks()
    {
        ulong generation = World.Random.NextBits() | 1;
        foreach (SimulatedNodeState node in Nodes)
        {
            CreationSource source = (node.Name, Scenario.CreationAtA) switch
            {
                ("b", CreationSource.Self) => CreationSource.Peer,
                ("b", CreationSource.Peer) => CreationSource.Self,
                _ => Scenario.CreationAtA,
            };
            if (source == CreationSource.Peer)
            {
                Litter(node);
            }

            if (Scenario.StartBytes > 0)
            {
                LitterGrowth(node);
            }

            SimulatedLoop loop = World.CreateLoop(node.Name);
            int formatted = 0;
            foreach (VolumeCopy copy in node.Copies)
            {
                Superblock initial = VolumeFormatter.Initial(
                    "mail", copy.Options.Name, copy.Volume, node.Id, Scenario.StartBytes > 0 ? Scenario.StartBytes : copy.Placement.DataBytes, source,
                    new Generation(generation + (node.Name == "a" ? 0UL : 2UL)));
                initial = Scenario.Prepare?.Invoke(node.Name, initial) ?? initial;
                bool isDirty = source != CreationSource.Empty || Scenario.DirtyAtStart.Contains(node.Name);
                VolumeFormatter.Format(loop, copy.Options, initial, isDirty, error =>
                {
                    Core.Invariant.Require(error == 0, "formatting succeeds");
                    formatted++;
                });
            }

            Core.Invariant.Require(
                World.RunUntil(() => formatted == node.Copies.Length, 60 * Second), "formatting ends");
            World.CrashProcess(node.Name);
        }
    }

    /// <summary>The copy that does not count holds something else.</summary>
    private void Litter(SimulatedNodeState node)
    {
        byte[] junk = new byte[65536];
        foreach (VolumeCopy copy in node.Copies)
        {
            for (long at = 0; at < copy.Placement.DataBytes; at += junk.Length)
            {
                World.Random.Fill(junk.AsSpan(0, 64));
                Oracle.Litter(copy.Volume, at / Stamp.SectorBytes, junk.AsSpan(0, Stamp.SectorBytes));
                copy.Data.Put(at, junk.AsSpan(0, (int)Math.Min(junk.Length, copy.Placement.DataBytes - at)));
            }
        }
    }

    /// <summary>What the volumes grow by holds something else on each node: what is read there is anything, but the same.</summary>
    private void LitterGrowth(SimulatedNodeState node)
    {
        byte[] junk = new byte[4096];
        foreach (VolumeCopy copy in node.Copies)
        {
            for (long at = Scenario.StartBytes; at < copy.Placement.DataBytes; at += 16 * junk.Length)
            {
                World.Random.Fill(junk);
                copy.Data.Put(at, junk);
                for (int sector = 0; sector < junk.Length / Stamp.SectorBytes; sector++)
                {
                    Oracle.LitterGrowth(copy.Volume, at / Stamp.SectorBytes + sector,
                        junk.AsSpan(sector * Stamp.SectorBytes, Stamp.SectorBytes));
                }
            }

            if (node == Nodes[0])
            {
                Mutation anything = Oracle.Submit(
                    MutationKind.Discard, copy.Volume, Scenario.StartBytes, Scenario.VolumeBytes - Scenario.StartBytes, true);
                Oracle.Acknowledge(anything);
            }
        }
    }

    /// <summary>The size that requests may use: neither node that runs serves less, or has stored less.</summary>
    public long SizeOf(int volume) => Nodes.Min(node => node.IsLoaded
        ? node.Resource!.Frontend(volume).LengthBytes : node.Copies[volume].StoredBytes);

    /// <summary>
    /// The power of these nodes is cut now and is back after a while, with the networks: the pair has to become whole, with
    /// all that <see cref="Run"/> looks at in the end. Clients have more patience from now on.
    /// </summary>
    public void Recover(SimulatedNodeState[] victims, long offNs)
    {
        ThinkNs *= 20;
        Note($"power cut: {string.Join(" and ", victims.Select(node => node.Name))}");
        Array.ForEach(victims, node => NodeDies(node, cutsPower: true));
        RunFor(offNs);
        Networks.MendAll();
        Operator.Start();
        Converge();
    }

    private void Converge()
    {
        Note("faults stop");
        _faults.Stop();
        _diskFaults.Stop();
        Verifies.Stop();
        Maintenance.End();
        Operator.IsQuiet = true;
        Array.ForEach(Nodes, StartNode);
        long limitNs = ConvergenceNs + LongestResyncNs;
        bool converged = RunUntil(IsServingAndJoined, limitNs);

        // Changes of role that were begun before still end now.
        RunFor(Second);
        if (!converged || !RunUntil(IsServingAndJoined, limitNs))
        {
            bool mayNeedOperator = Scenario.Forces || _faults.HasRotted || Rights.IsSplit || _diskFaults.HasBitten;

            // Nodes that stay apart try again now and then, and hold nothing up meanwhile.
            if (mayNeedOperator && RunUntil(() => Nodes.Any(node => node.Status?.HoldUp?.Owner == "operator"), Second))
            {
                Tally.NamedStates++;
                return;
            }

            throw new RuleBroken("I-22", $"{limitNs / Second} s after the last fault the pair is "
                + string.Join(" and ", Nodes.Select(Describe)));
        }

        Note("joined; clients stop");
        Array.ForEach(_clients, client => client.Stop());
        Array.ForEach(_deviceClients, client => client.Stop());
        if (!RunUntil(() => Requests.Count == 0 && Nodes.All(HasIdleDevices), 20 * Second))
        {
            throw new RuleBroken("I-22", "requests are still held 20 s after clients stopped, "
                + $"{Nodes.Sum(node => node.Devices.Sum(device => device.Waiting))} of them at block "
                + "devices, the pair is "
                + string.Join(" and ", Nodes.Select(Describe)));
        }

        FlushOnce();
        RunFor(3 * Second);
        Verifies.RunLast(ServerByAddress()!);
        CompareAll();
        _isOver = true;
    }

    private bool IsServingAndJoined() =>
        Operator.IsIdle && Nodes.All(IsHealthy)
        && Nodes.Count(node => node.Status!.Role == Role.Primary) == 1
        && ServerByAddress() is { Status.Role: Role.Primary };

    private static bool HasIdleDevices(SimulatedNodeState node) =>
        Array.TrueForAll(node.Devices, device => device.Waiting == 0);

    private static bool IsHealthy(SimulatedNodeState node) =>
        node.Status is { Link: LinkState.Joined, DiskState: DiskState.UpToDate, HoldUp: null };

    private void FlushOnce()
    {
        SimulatedNodeState server = ServerByAddress()
            ?? throw new RuleBroken("I-22", "nobody serves although the pair was joined and nothing failed");
        IsAsked(server);
        int error = -1;
        FlushInProgress flush = Oracle.BeginFlush();
        server.Resource!.Frontend(0).Submit(
            new IoRequest(request => error = request.Error) { Operation = VolumeOperation.Flush });
        if (!RunUntil(() => error >= 0, 20 * Second) || error != 0)
        {
            throw new RuleBroken("I-22", $"the last flush ended with {error}");
        }

        Oracle.EndFlush(flush);
        Acknowledgements.Check(flush, server);
    }

    private void CompareAll()
    {
        foreach (CopyComparison comparison in Comparisons)
        {
            comparison.CompareAll();
            if (comparison.A.StoredBytes != comparison.B.StoredBytes)
            {
                throw new RuleBroken("I-7", $"volume {comparison.A.Volume} has {comparison.A.StoredBytes} bytes at a and "
                    + $"{comparison.B.StoredBytes} at b at the end");
            }

            if (comparison.Differing.Any())
            {
                throw new RuleBroken("I-7", $"{comparison.Differing.Count()} blocks of volume "
                    + $"{comparison.A.Volume} differ at the end: "
                    + Differences(comparison, comparison.Differing.Min()));
            }

            IEnumerable<long> all = Enumerable
                .Range(0, (int)(comparison.A.StoredBytes / 4096)).Select(block => (long)block);
            Require(Nodes[0], comparison, all, "ends");
        }
    }

    /// <summary>Every sector of these blocks holds something legal.</summary>
    private void Require(
        SimulatedNodeState node, CopyComparison comparison, IEnumerable<long> blocks, string when)
    {
        byte[] bytes = new byte[4096];
        int volume = comparison.A.Volume;
        foreach (long block in blocks.Where(block => block < comparison.ReservedFrom))
        {
            node.Copies[volume].Data.Peek(block * 4096, bytes);
            for (int i = 0; i < 8; i++)
            {
                long number = block * 8 + i;
                ReadOnlySpan<byte> sector = bytes.AsSpan(i * Stamp.SectorBytes, Stamp.SectorBytes);
                if (!Oracle.MayHoldNow(volume, number, sector)
                    && !Oracle.IsLegalLoss(volume, number, sector))
                {
                    throw new RuleBroken("I-1/2", $"{node.Name} {when} and sector {number} of volume "
                        + $"{volume} holds {ResourceOracle.Describe(volume, number, sector)}; possible: "
                        + Oracle.Describe(volume, number));
                }
            }
        }
    }

    private string Differences(CopyComparison comparison, long block)
    {
        byte[] atA = new byte[Stamp.SectorBytes];
        byte[] atB = new byte[Stamp.SectorBytes];
        for (long number = block * 8; number < block * 8 + 8; number++)
        {
            comparison.A.Data.Peek(number * Stamp.SectorBytes, atA);
            comparison.B.Data.Peek(number * Stamp.SectorBytes, atB);
            if (!atA.AsSpan().SequenceEqual(atB))
            {
                int volume = comparison.A.Volume;
                return $"sector {number} is {ResourceOracle.Describe(volume, number, atA)} at a and "
                    + $"{ResourceOracle.Describe(volume, number, atB)} at b; possible: "
                    + Oracle.Describe(volume, number);
            }
        }

        return "no sector differs any more";
    }

    private static string Describe(SimulatedNodeState node) => node.Status is not { } status
        ? $"{node.Name}: no status"
        : $"{node.Name}: {status.Role}, {status.DiskState}, {status.Link}, {status.HandshakeCase}, "
            + $"held up by {status.HoldUp?.State ?? "nothing"} ({status.HoldUp?.Reason})";
}
