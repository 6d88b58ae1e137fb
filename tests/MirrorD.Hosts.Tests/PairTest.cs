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
}
