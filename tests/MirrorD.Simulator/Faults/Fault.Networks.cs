using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Faults;

/// <content>What the networks and those beyond them do.</content>
internal sealed partial class Fault
{
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
                PartOneWay(node);
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
            case FaultKind.Swizzle:
                Swizzle();
                break;
        }
    }

    private void Swizzle()
    {
        string[] others = [Networks.Client, Networks.Gateway, Networks.Arbiter];
        (string Network, string One, string Other)[] ways =
        [
            (Networks.Dedicated, "a", "b"), (Networks.Production, "a", "b"),
            .. others.SelectMany(other => new[] { (Networks.Production, "a", other), (Networks.Production, "b", other) }),
        ];
        foreach ((string network, string one, string other) in ways)
        {
            CutSoon(network, one, other);
            CutSoon(network, other, one);
            simulation.World.Schedule(
                random.Between(1200, 3500) * Millisecond, () => Networks.Mend(network, one, other));
        }
    }

    private void CutSoon(string network, string from, string to)
    {
        if (random.Percent(70))
        {
            simulation.World.Schedule(random.Below(1200) * Millisecond, () =>
            {
                if (!injector.IsStopped)
                {
                    Networks.CutOneWay(network, from, to);
                }
            });
        }
    }

    private void PartOneWay(SimulatedNodeState node)
    {
        if (random.Percent(60))
        {
            OnceJoined(simulation.World.NowNs + JoinsWithinNs, IsJoined, DeafenPrimary);
            return;
        }

        Networks.CutOneWay(Networks.Dedicated, node.Name, node.PeerName);
        Networks.CutOneWay(Networks.Production, node.Name, node.PeerName);
        MendLater();
    }

    /// <summary>
    /// Nothing that the Standby says is heard, for longer than a takeover takes with its probe for the addresses; and the
    /// Primary, which the Standby hears, can't reach the arbiter either: it gets no right, and nobody may take over from it
    /// all the same.
    /// </summary>
    private void DeafenPrimary()
    {
        if (injector.IsStopped || Standbys() is not [var standby])
        {
            return;
        }

        Networks.CutOneWay(Networks.Dedicated, standby.Name, standby.PeerName);
        Networks.CutOneWay(Networks.Production, standby.Name, standby.PeerName);
        simulation.Arbiter.CutOff.Add(standby.PeerName);
        simulation.World.Schedule(random.Between(2500, 6000) * Millisecond, () =>
        {
            simulation.Arbiter.CutOff.Remove(standby.PeerName);
            Networks.MendNetworks();
        });
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
}
