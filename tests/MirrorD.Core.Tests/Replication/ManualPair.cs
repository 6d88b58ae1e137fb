using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// Two replicas without an engine. Each effect becomes a pending step, and the test says which steps have to
/// wait: so every order of completions can be told as a story.
/// </summary>
internal sealed class ManualPair
{
    private readonly List<ManualStep> _pending = [];
    private readonly HashSet<(ManualNode, string)> _stopped = [];
    private ulong _sessions;

    public ManualPair(
        bool hasArbiter = false, bool continueOnPeerLoss = false,
        Func<ReplicaSettings, ReplicaSettings>? adjust = null)
    {
        A = new ManualNode(this, 1, 2, hasArbiter, continueOnPeerLoss, adjust);
        B = new ManualNode(this, 2, 1, hasArbiter, continueOnPeerLoss, adjust);
        A.Peer = B;
        B.Peer = A;
    }

    public ManualNode A { get; }

    public ManualNode B { get; }

    public long NowNs { get; private set; } = 1;

    public ulong Identifiers { get; set; } = 1000;

    /// <summary>A pair that has joined, with A as its Primary.</summary>
    public static ManualPair Serving(
        bool hasArbiter = false, bool continueOnPeerLoss = false,
        Func<ReplicaSettings, ReplicaSettings>? adjust = null)
    {
        var pair = new ManualPair(hasArbiter, continueOnPeerLoss, adjust);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.Run();
        Assert.Equal(WritePath.Mirrored, pair.A.Replica.Path);
        return pair;
    }

    /// <summary>Steps of this kind wait until <see cref="Go"/>.</summary>
    public void Stop(ManualNode node, string kind) => _stopped.Add((node, kind));

    /// <summary>Steps of this kind no longer wait; everything runs.</summary>
    public void Go(ManualNode node, string kind)
    {
        _stopped.Remove((node, kind));
        Run();
    }

    /// <summary>Completes the oldest waiting step of this kind, and nothing else.</summary>
    public void Complete(ManualNode node, string kind)
    {
        int at = _pending.FindIndex(p => p.Node == node && p.Kind == kind);
        Assert.True(at >= 0, $"a step {kind} waits");
        ManualStep step = _pending[at];
        _pending.RemoveAt(at);
        step.Done();
    }

    /// <summary>Steps that may be completed next: messages of a side keep their order.</summary>
    public List<ManualStep> Eligible() => [.. _pending.Where((p, i) =>
        p.Kind != "send" || !_pending.Take(i).Any(q => q.Kind == "send" && q.Node == p.Node))];

    public void Complete(ManualStep step)
    {
        _pending.Remove(step);
        step.Done();
    }

    /// <summary>
    /// Takes away everything of a node that died; what of it reaches the disk is the caller's choice.
    /// </summary>
    public List<ManualStep> TakeAll(ManualNode node)
    {
        List<ManualStep> taken = _pending.FindAll(p => p.Node == node);
        _pending.RemoveAll(p => p.Node == node);
        return taken;
    }

    public void DropSends() => _pending.RemoveAll(p => p.Kind is "send" or "close");

    public int Waiting(ManualNode node, string kind) => _pending.Count(p => p.Node == node && p.Kind == kind);

    /// <summary>Completes steps, oldest first, until only those are left that have to wait.</summary>
    public void Run()
    {
        for (int steps = 0; steps < 100_000; steps++)
        {
            int at = _pending.FindIndex(p => !_stopped.Contains((p.Node, p.Kind)));
            if (at < 0)
            {
                return;
            }

            ManualStep step = _pending[at];
            _pending.RemoveAt(at);
            step.Done();
        }

        Assert.Fail("the pair never comes to rest");
    }

    public void Advance(long ns) => NowNs += ns;

    public void Tick(long ns = 1_000_000_000)
    {
        NowNs += ns;
        A.Replica.Tick();
        B.Replica.Tick();
        Run();
    }

    public void LinkUp()
    {
        BeginLink();
        Run();
    }

    /// <summary>The link is up, and nothing has gone over it yet.</summary>
    public void BeginLink()
    {
        var session = new SessionId(++_sessions);
        A.IsConnected = B.IsConnected = true;
        A.Replica.LinkUp(session);
        B.Replica.LinkUp(session);
    }

    /// <summary>The link breaks: what was on its way is lost.</summary>
    public void LinkDown(bool run = true)
    {
        DropSends();
        foreach (ManualNode node in new[] { A, B })
        {
            if (node.IsConnected)
            {
                node.IsConnected = false;
                node.Replica.LinkLost("cut");
            }
        }

        if (run)
        {
            Run();
        }
    }

    public void Add(ManualNode node, string kind, Action done, Action? land = null) =>
        _pending.Add(new ManualStep(node, kind, done, land));
}

/// <summary>Something that is under way.</summary>
/// <param name="Node">Whose.</param>
/// <param name="Kind">What.</param>
/// <param name="Done">Carries it out and tells the replica.</param>
/// <param name="Land">What a dying node may leave of it on its disk.</param>
internal sealed record ManualStep(ManualNode Node, string Kind, Action Done, Action? Land);

/// <summary>A client's request with what it writes.</summary>
internal sealed class ManualRequest : VolumeRequest
{
    public int Stamp { get; set; }

    public int? Result { get; set; }

    public ManualNode? Owner { get; set; }

    /// <summary>A read must not find anything older than this.</summary>
    public int Least { get; set; }

    /// <summary>Nor this, when no power was cut.</summary>
    public int LeastWithoutPowerCut { get; set; }
}
