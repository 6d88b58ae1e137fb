using MirrorD.Formats.Watch;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Surroundings;

/// <summary>
/// The two networks and everybody on them: nodes a and b on both; gateway, arbiter and the clients' host on the
/// production network. All cuts are made here, so that the checks know what really was open.
/// </summary>
public sealed class Networks(SimulatedWorld world)
{
    /// <summary>Between the nodes.</summary>
    public const string Dedicated = SimulatedNetwork.DedicatedName;
    /// <summary>That of the clients.</summary>
    public const string Production = "production";
    /// <summary>The gateway of the production network.</summary>
    public const string Gateway = "gateway";
    /// <summary>Where clients are.</summary>
    public const string Client = "client";
    /// <summary>Where the arbiter is.</summary>
    public const string Arbiter = "arbiter";

    /// <summary>Where a datagram of the watch says what it is (<see cref="WatchHeader"/>).</summary>
    private const int TypeOffset = 5;

    private static readonly string[] s_others = [Client, Gateway, Arbiter];
    private readonly HashSet<string> _withoutCarrier = [];
    private string? _heldBack;

    /// <summary>The gateway does not answer anybody.</summary>
    public bool GatewayIsDead { get; set; }

    /// <summary>Told before and after each change of what is open.</summary>
    public Action? Changing { get; set; }

    /// <summary>Bytes travel from one to the other; a host without power is not reached.</summary>
    public bool Reaches(string network, string from, string to) => world.Network.Reaches(network, from, to);

    /// <summary>Both directions are open.</summary>
    public bool Connects(string network, string one, string other) =>
        Reaches(network, one, other) && Reaches(network, other, one);

    /// <summary>The node's production interface has a carrier.</summary>
    public bool HasCarrier(string node) => !_withoutCarrier.Contains(node);

    /// <summary>The gateway answers this node.</summary>
    public bool GatewayAnswers(string node) => !GatewayIsDead && Connects(Production, node, Gateway);

    /// <summary>Datagrams travel in that direction between the nodes on some network.</summary>
    public bool IsAnyOpen(string from, string to) =>
        from != _heldBack && (Reaches(Dedicated, from, to) || Reaches(Production, from, to));

    /// <summary>Some network is open in both directions between the nodes.</summary>
    public bool AnyConnects(string one, string other) =>
        Connects(Dedicated, one, other) || Connects(Production, one, other);

    /// <summary>Cuts both directions of one network between two.</summary>
    public void Cut(string network, string one, string other) =>
        Change(() => world.Network.Cut(network, one, other));

    /// <summary>Cuts one direction of one network between two.</summary>
    public void CutOneWay(string network, string from, string to) =>
        Change(() => world.Network.CutOneWay(network, from, to));

    /// <summary>Mends one network between two.</summary>
    public void Mend(string network, string one, string other) =>
        Change(() => world.Network.Mend(network, one, other));

    /// <summary>All datagrams of the node, or only its control messages, are held back; what was held before arrives.</summary>
    public void HoldBack(string node, bool onlyControl) => Change(() =>
    {
        world.Network.ReleaseHeld();
        _heldBack = onlyControl ? null : node;
        world.Network.Holds = (from, datagram) => from == node
            && (!onlyControl || datagram.Span[TypeOffset] == (byte)WatchDatagramType.Control);
    });

    /// <summary>What was held back arrives, and nothing is held any more.</summary>
    public void LetGo() => Change(() =>
    {
        _heldBack = null;
        world.Network.ReleaseHeld();
    });

    /// <summary>The node's production interface loses its carrier.</summary>
    public void LoseCarrier(string node) => Change(() =>
    {
        _withoutCarrier.Add(node);
        Array.ForEach(Neighbours(node), other => world.Network.Cut(Production, node, other));
    });

    /// <summary>The carrier is back, and with it all of the node's production network.</summary>
    public void RestoreCarrier(string node) => Change(() =>
    {
        _withoutCarrier.Remove(node);
        Array.ForEach(Neighbours(node), other => world.Network.Mend(Production, node, other));
    });

    /// <summary>Both networks between the nodes are cut; those named are cut off from a, the others from b.</summary>
    public void Partition(IReadOnlyCollection<string> withB) => Change(() =>
    {
        world.Network.Cut("a", "b");
        Array.ForEach(s_others, other =>
            world.Network.Cut(Production, withB.Contains(other) ? "a" : "b", other));
    });

    /// <summary>Everything is open, every carrier up, the gateway alive.</summary>
    public void MendAll()
    {
        GatewayIsDead = false;
        MendNetworks();
    }

    /// <summary>Everything is open, and every carrier up.</summary>
    public void MendNetworks() => Change(() =>
    {
        _withoutCarrier.Clear();
        world.Network.Mend("a", "b");
        foreach (string other in s_others)
        {
            world.Network.Mend("a", other);
            world.Network.Mend("b", other);
        }
    });

    private void Change(Action change)
    {
        Changing?.Invoke();
        change();
        Changing?.Invoke();
    }

    private static string[] Neighbours(string node) => [node == "a" ? "b" : "a", .. s_others];
}
