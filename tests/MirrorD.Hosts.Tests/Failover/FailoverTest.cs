using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Witness;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>
/// A test of who may go on: the pair of its class, made ready, with a witness of what both nodes complete.
/// </summary>
[Collection(FailoverCollection.Name)]
public abstract class FailoverTest : IDisposable
{
    /// <summary>The service address.</summary>
    protected const string Address = MirrorD.Lab.Lab.ServiceAddress;

    /// <summary>Longer than the release helper waits for a daemon to come back.</summary>
    protected static string ReleaseTimeout { get; } = string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"release-timeout: {3 * PairOptions.Automatic.DeadAfter!.Value.TotalMilliseconds:0}ms");

    private readonly SharedPair _shared;
    private readonly Dictionary<Node, (int Notifications, long Event)> _marks = [];
    private WriteWitness? _witness;

    protected FailoverTest(SharedPair shared, PairOptions options)
    {
        _shared = shared;
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        shared.Prepare(options);
        Primary = Pair.A.Status().IsPrimary ? Pair.A : Pair.B;
        Standby = Pair.Other(Primary);
        foreach (Node node in (Node[])[Primary, Standby])
        {
            _marks[node] = (node.Notifications.Count, node.LastEvent());
        }
    }

    /// <summary>The pair.</summary>
    protected Pair Pair => _shared.Pair;

    /// <summary>Its lab.</summary>
    protected Lab.Lab Lab => _shared.Lab;

    /// <summary>The node that is Primary when the test begins.</summary>
    protected Node Primary { get; } = null!;

    /// <summary>The other one.</summary>
    protected Node Standby { get; } = null!;

    /// <summary>Clients that always try to write through both nodes; they start at the first use.</summary>
    protected WriteWitness Witness => _witness ??= new WriteWitness(Pair);

    /// <summary>Ends every disturbance.</summary>
    protected void Heal() => _shared.Heal();

    /// <summary>The next test gets a pair of its own.</summary>
    protected void Spoil() => _shared.Spoil();

    /// <summary>What was notified on a node since the test began.</summary>
    protected IReadOnlyList<string> Notified(Node node) =>
        [.. node.Notifications.Skip(_marks[node].Notifications).Select(notification => notification.Kind)];

    /// <summary>Waits for a notification on a node.</summary>
    protected void WaitForNotification(Node node, string kind) => Wait.For(
        $"the notification {kind} on {node.Name}", 20, () => Notified(node).Contains(kind),
        () => $"notified: {string.Join(", ", Notified(node))}\n{Lab.Logs()}");

    /// <summary>
    /// Exactly these were notified since the test began, by the notification command and among mirrorctl's events;
    /// nothing may follow them. Their order is left open: paths are told of when they have settled, roles at once.
    /// </summary>
    protected void AssertNotified(Node node, params IReadOnlyList<string> kinds)
    {
        Wait.For(
            $"{kinds.Count} notifications on {node.Name}", 20, () => Notified(node).Count >= kinds.Count,
            () => $"expected {string.Join(", ", kinds)}, notified: {string.Join(", ", Notified(node))}\n{Lab.Logs()}");
        _shared.WaitUntilQuiet();
        Assert.Equal(kinds.Order(), Notified(node).Order());
        if (node.IsRunning)
        {
            Assert.Equal(kinds.Order(), node.EventKinds(_marks[node].Event).Order());
        }
    }

    /// <summary>Of these kinds each was notified at most once since the test began, and nothing else.</summary>
    protected void AssertNotifiedAtMost(Node node, params IReadOnlyList<string> kinds)
    {
        _shared.WaitUntilQuiet();
        IReadOnlyList<string> notified = Notified(node);
        Assert.Equal(notified.Distinct(), notified);
        Assert.Subset(kinds.ToHashSet(), notified.ToHashSet());
    }

    /// <summary>Exactly these on both nodes.</summary>
    protected void AssertBothNotified(params IReadOnlyList<string> kinds)
    {
        AssertNotified(Primary, kinds);
        AssertNotified(Standby, kinds);
    }

    /// <summary>The standby became Primary by itself and completes writes; the service address is there.</summary>
    protected void WaitForTakeover()
    {
        Standby.WaitFor("to take over", 30, view => view.IsPrimary);
        Wait.For(
            $"{Standby.Name} to hold {Address}", 20, () => Standby.Host.Holds(Address), () => Lab.Logs());
        Witness.WaitForWrites(Standby);
    }

    /// <summary>For a time that would be enough to take over twice, nothing changes hands.</summary>
    protected void AssertNoTakeover()
    {
        double seconds = 3 * Pair.Options.DeadAfter!.Value.TotalSeconds;
        Wait.While(
            $"{Standby.Name} stays Standby without the address", seconds,
            () => Standby.TryStatus() is not { IsPrimary: true } && !Standby.Host.Holds(Address), () => Lab.Logs());
    }

    /// <summary>
    /// Everything is mended: the pair joins with one Primary, and the witness has nothing to complain about.
    /// </summary>
    protected void AssertConverges()
    {
        Heal();
        Pair.WaitUntilJoined(60);
        Wait.For(
            "one Primary that alone holds the address", 30,
            () => Pair.A.Status().IsPrimary != Pair.B.Status().IsPrimary
                && Pair.A.Host.Holds(Address) == Pair.A.Status().IsPrimary
                && Pair.B.Host.Holds(Address) == Pair.B.Status().IsPrimary,
            () => Lab.Logs());
        Assert.Empty(Witness.Judge(Pair.A.Status().IsPrimary ? Pair.A : Pair.B));
        string? difference = "not compared";
        Wait.For(
            "both copies to be identical", 30, () => (difference = Pair.Difference()) is null, () => difference ?? "");
    }

    public void Dispose()
    {
        _witness?.Dispose();
        GC.SuppressFinalize(this);
    }
}
