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
}
