using MirrorD.Lab;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// A test with a pair of its own; the logs of all daemons are part of the message when it fails.
/// </summary>
public abstract class PairTest : IDisposable
{
    private Lab.Lab? _lab;

    /// <summary>The lab, made at its first use.</summary>
    protected Lab.Lab Lab => _lab ??= new Lab.Lab();

    /// <summary>Makes a pair, starts it and promotes a.</summary>
    protected Pair StartPair(PairOptions? options = null)
    {
        var pair = new Pair(Lab, options ?? new PairOptions());
        pair.StartJoinedWithPrimaryA();
        return pair;
    }

    /// <summary>Waits until nothing is in flight and both copies are the same.</summary>
    protected static void WaitUntilIdentical(Pair pair, string volume = "data")
    {
        string? difference = "not compared";
        Wait.For(
            $"the copies of {volume} to be identical", 30,
            () => (difference = pair.Difference(volume)) is null, () => difference ?? "");
    }

    public void Dispose()
    {
        _lab?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// The number of each node's last event when all paths are up: while the nodes start, one may come later than another.
    /// </summary>
    protected static Dictionary<Node, long> LastEventsOncePathsAreUp(Pair pair)
    {
        Node[] nodes = [pair.A, pair.B];
        Wait.For("all paths to be up", 30, () => nodes.All(
            node => node.Paths() is { Count: > 0 } paths && paths.Values.All(state => state == "Up")));
        return nodes.ToDictionary(node => node, node => node.LastEvent());
    }

    /// <summary>Neither link nor path was lost since, and no datagram refused. Returns what happened, by kind.</summary>
    protected static IReadOnlyList<string> RequireNothingLost(Dictionary<Node, long> since)
    {
        List<string> events = [.. since.SelectMany(node => node.Key.EventKinds(node.Value))];
        Assert.DoesNotContain("link-lost", events);
        Assert.DoesNotContain("path-lost", events);
        Assert.DoesNotContain("watch-garbage", events);
        return events;
    }
}
