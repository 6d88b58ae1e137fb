using System.Diagnostics;
using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>
/// A pair that several tests use, one after the other: each gets it joined, with one Primary that holds the service
/// address, all paths up, and nothing left to be notified. A pair that can't be brought there is replaced by a new one.
/// </summary>
public sealed class SharedPair : IDisposable
{
    private PairOptions? _options;
    private bool _isSpoiled;

    /// <summary>The lab of the present pair.</summary>
    public Lab.Lab Lab { get; private set; } = null!;

    /// <summary>The pair.</summary>
    public Pair Pair { get; private set; } = null!;

    /// <summary>The next test gets a new pair: this one is not what it was.</summary>
    public void Spoil() => _isSpoiled = true;

    /// <summary>Brings a pair with these options to where a test begins.</summary>
    public void Prepare(PairOptions options)
    {
        if (_options == options && !_isSpoiled && TryHeal())
        {
            return;
        }

        Dispose();
        Lab = new Lab.Lab();
        Pair = new Pair(Lab, options);
        Pair.StartJoinedWithPrimaryA();
        WaitUntilReady();
        _options = options;
        _isSpoiled = false;
    }

    /// <summary>Ends every disturbance, and starts what does not run.</summary>
    public void Heal()
    {
        foreach (Node node in (Node[])[Pair.A, Pair.B])
        {
            node.FindArbiter();
            node.Daemon.Send(Signals.Continue);
        }

        Lab.Gateway.IgnoreNobody();
        Lab.Client.Forget(MirrorD.Lab.Lab.ServiceAddress);
        Lab.MendNetworks();
        foreach (Node node in (Node[])[Pair.A, Pair.B])
        {
            if (!node.IsRunning)
            {
                node.StartAndWait();
            }
        }
    }

    /// <summary>Waits until notifications have stopped coming.</summary>
    public void WaitUntilQuiet()
    {
        (int A, int B) seen = default;
        var since = Stopwatch.StartNew();
        Wait.For("notifications to stop coming", 30, () =>
        {
            (int, int) now = (Pair.A.Notifications.Count, Pair.B.Notifications.Count);
            if (now != seen)
            {
                seen = now;
                since.Restart();
            }

            return since.ElapsedMilliseconds > 600;
        });
    }

    public void Dispose()
    {
        Lab?.Dispose();
        _options = null;
    }

    private bool TryHeal()
    {
        try
        {
            Heal();
            WaitUntilReady();
            return true;
        }
        catch (Exception failed) when (failed is TimeoutException or InvalidOperationException)
        {
            return false;
        }
    }

    private void WaitUntilReady()
    {
        Pair.WaitUntilJoined(30);
        if (!Pair.A.Status().IsPrimary && !Pair.B.Status().IsPrimary)
        {
            Pair.A.Promote();
        }

        Wait.For(
            "one Primary that holds the service address, and all paths up", 30,
            () => Pair.A.TryStatus()?.IsPrimary != Pair.B.TryStatus()?.IsPrimary
                && Holds(Pair.A) && Holds(Pair.B) && IsUp(Pair.A) && IsUp(Pair.B),
            () => Lab.Logs());
        WaitUntilQuiet();
    }

    // The Primary, and nobody else.
    private static bool Holds(Node node) =>
        node.Host.Holds(MirrorD.Lab.Lab.ServiceAddress) == node.TryStatus()?.IsPrimary;

    private static bool IsUp(Node node) =>
        node.Paths() is { Count: 2 } paths && paths.Values.All(state => state == "Up");
}
