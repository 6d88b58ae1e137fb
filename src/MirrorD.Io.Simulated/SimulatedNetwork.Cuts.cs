namespace MirrorD.Io.Simulated;

/// <content>Which way is open between two nodes, network by network.</content>
public sealed partial class SimulatedNetwork
{
    /// <summary>The network of addresses for which none is named.</summary>
    public const string DedicatedName = "dedicated";

    // In the order in which they became known: a list, so that the same seed gives the same history.
    private readonly List<string> _networks = [DedicatedName];
    private readonly HashSet<(string Network, string From, string To)> _cuts = [];

    /// <summary>True when nothing travels from one node to the other on that network.</summary>
    public bool IsCut(string network, string from, string to) => _cuts.Contains((network, from, to));

    /// <summary>
    /// True when nothing travels from one node to the other on any network that is known: that has an address
    /// or had a cut.
    /// </summary>
    public bool IsCut(string from, string to) => _networks.TrueForAll(network => IsCut(network, from, to));

    /// <summary>
    /// Both nodes are switched on and the way from one to the other is open; what runs there does not count.
    /// Names that the world does not know count as hosts that are on.
    /// </summary>
    public bool Reaches(string network, string from, string to) => IsOn(from) && IsOn(to)
        && (from == to || !IsCut(network, from, to));

    /// <summary>Cuts one direction of a network silently.</summary>
    public void CutOneWay(string network, string from, string to)
    {
        Know(network);
        if (_cuts.Add((network, from, to)))
        {
            _world.Note($"{network} {from} -> {to} cut");
        }
    }

    /// <summary>Cuts one direction of all networks that are known silently.</summary>
    public void CutOneWay(string from, string to) =>
        _networks.ForEach(network => CutOneWay(network, from, to));

    /// <summary>Cuts both directions of a network silently.</summary>
    public void Cut(string network, string one, string other)
    {
        CutOneWay(network, one, other);
        CutOneWay(network, other, one);
    }

    /// <summary>Cuts both directions of all networks that are known silently.</summary>
    public void Cut(string one, string other) => _networks.ForEach(network => Cut(network, one, other));

    /// <summary>Mends both directions of a network.</summary>
    public void Mend(string network, string one, string other)
    {
        if (!_cuts.Remove((network, one, other)) & !_cuts.Remove((network, other, one)))
        {
            return;
        }

        _world.Note($"{network} {one} - {other} mended");
        foreach (SimulatedConnection connection in Between(one, other))
        {
            if (connection.Network != network)
            {
                continue;
            }

            if (_world.Random.Percent(30))
            {
                connection.LoseOutgoing();
            }
            else
            {
                connection.ResumeOutgoing();
            }
        }
    }

    /// <summary>Mends both directions of all networks.</summary>
    public void Mend(string one, string other) => _networks.ForEach(network => Mend(network, one, other));

    /// <summary>What leaves the one arrives at the other; within a host there is nothing to cut.</summary>
    internal bool Passes(string network, SimulatedNode from, SimulatedNode to) =>
        from == to || !IsCut(network, from.Name, to.Name);

    private void Know(string network)
    {
        if (!_networks.Contains(network))
        {
            _networks.Add(network);
        }
    }

    private bool IsOn(string node) => _world.FindNode(node) is not { IsOn: false };
}
