using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Surroundings;

/// <summary>
/// Who has the service address, as kernels and ARP see it: the kernel of a host keeps it, and answers for it, also
/// when the process that added it is dead or stands still. The clients' host remembers one node, until an
/// announcement reaches it or it has asked again.
/// </summary>
public sealed class AddressTable(SimulatedWorld world, Networks networks)
{
    private const long Millisecond = 1_000_000;
    private const int Probes = 3;
    private const long ProbeIntervalNs = 100 * Millisecond;
    private static readonly string[] s_nodes = ["a", "b"];

    private readonly HashSet<string> _holders = [];
    private bool _isAsking;

    /// <summary>Node that the clients' neighbour entry names; null when there is none.</summary>
    public string? Neighbour { get; private set; }

    /// <summary>Told after each change of a holder.</summary>
    public Action? Changed { get; set; }

    /// <summary>The node's kernel has the address.</summary>
    public bool Holds(string node) => _holders.Contains(node);

    /// <summary>The node's kernel gets it.</summary>
    public void Add(string node)
    {
        if (_holders.Add(node))
        {
            world.Trace?.Invoke($"{node}: service address added");
            Changed?.Invoke();
        }
    }

    /// <summary>The node's kernel gives it up, or ends.</summary>
    public void Remove(string node)
    {
        if (_holders.Remove(node))
        {
            world.Trace?.Invoke($"{node}: service address removed");
            Changed?.Invoke();
        }
    }

    /// <summary>A gratuitous announcement: whom it reaches takes it at its word.</summary>
    public void Announce(string node)
    {
        if (Holds(node) && networks.Reaches(Networks.Production, node, Networks.Client))
        {
            Neighbour = node;
        }
    }

    /// <summary>Asks three times who else has it; gives the first who answers, or null.</summary>
    public void Probe(string from, Action<string?> answered)
    {
        string? holder = null;
        for (int i = 0; i < Probes; i++)
        {
            world.Schedule(i * ProbeIntervalNs, () => holder ??= Answerer(from));
        }

        world.Schedule(Probes * ProbeIntervalNs, () => answered(holder));
    }

    /// <summary>
    /// The node to which a client's request goes; null when nobody takes it. Then the clients' host asks anew who
    /// has the address, as kernels do after some failures.
    /// </summary>
    public string? Route()
    {
        if (Neighbour is { } node && Holds(node) && networks.Connects(Networks.Production, Networks.Client, node))
        {
            return node;
        }

        if (!_isAsking)
        {
            _isAsking = true;
            world.Schedule(world.Random.Between(100, 1000) * Millisecond, () =>
            {
                _isAsking = false;
                Neighbour = Answerer(Networks.Client) ?? Neighbour;
            });
        }

        return null;
    }

    /// <summary>Of several the one whose answer comes last stays.</summary>
    private string? Answerer(string from)
    {
        string[] answering = [.. s_nodes.Where(node => node != from && Holds(node)
            && networks.Connects(Networks.Production, from, node))];
        return answering.Length == 0 ? null : answering[world.Random.Below(answering.Length)];
    }
}
