using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// A pair with two networks, each of which can be cut in each direction, an arbiter that grants each session
/// once, a gateway, and takeovers that are carried out. Control messages are delivered at each tick over any
/// network that works in their direction, unless <see cref="HoldsControl"/>.
/// </summary>
internal sealed class FailoverStory
{
    public const long TickNs = 100_000_000;
    public const long LinkTimeoutNs = 1_000_000_000;
    public const long DeadAfterNs = 3_000_000_000;
    private readonly HashSet<(ManualNode From, PathKind Path)> _cuts = [];
    private readonly Dictionary<ManualNode, int> _delivered = [];
    private readonly Dictionary<SessionId, ManualNode> _keys = [];
    private readonly Dictionary<ManualNode, long> _refusesSinceNs = [];

    public FailoverStory(
        bool hasArbiter = false, PeerLoss onPeerLoss = PeerLoss.Auto, bool autoswitch = true,
        Func<ReplicaSettings, ReplicaSettings>? adjust = null)
    {
        Pair = new ManualPair(hasArbiter, adjust: settings =>
        {
            ReplicaSettings mine = settings with
            {
                OnPeerLoss = onPeerLoss,
                Autoswitch = autoswitch,
                LinkTimeoutNs = LinkTimeoutNs,
            };
            return adjust?.Invoke(mine) ?? mine;
        });
        foreach (ManualNode node in Nodes)
        {
            _delivered[node] = 0;
            Gateway[node] = GatewayEvidence.Answers;
            node.GatewayAsked = question =>
                Pair.Add(node, "gateway", () => node.Replica.GatewayAnswered(question, Gateway[node]));
            node.Claimed = session => Pair.Add(node, "claim", () => AnswerClaim(node, session));
            node.TakeoverBegun = Begin(node);
        }
    }

    public ManualPair Pair { get; }

    public ManualNode A => Pair.A;

    public ManualNode B => Pair.B;

    public ManualNode[] Nodes => [A, B];

    /// <summary>What the gateway is to each node.</summary>
    public Dictionary<ManualNode, GatewayEvidence> Gateway { get; } = [];

    /// <summary>Nodes that can't reach the arbiter.</summary>
    public HashSet<ManualNode> WithoutArbiter { get; } = [];

    /// <summary>Nodes whose process stands still.</summary>
    public HashSet<ManualNode> Paused { get; } = [];

    /// <summary>Nodes whose daemon is gone.</summary>
    public HashSet<ManualNode> Dead { get; } = [];

    /// <summary>Control messages are not delivered.</summary>
    public bool HoldsControl { get; set; }

    /// <summary>What a node says of itself instead of how it is.</summary>
    public Func<ManualNode, PeerReport, PeerReport> Reported { get; set; } = (_, report) => report;

    /// <summary>Takeovers of this node are carried out.</summary>
    public Action Begin(ManualNode node) => () => Pair.Add(node, "takeover", () => node.Replica.Promote(
        false,
        (succeeded, message, remedy) =>
        {
            node.Answer(succeeded, message, remedy);
            node.Replica.TakeoverEnded();
        },
        automatic: true));

    /// <summary>A joined pair with both networks up and A as its Primary.</summary>
    public static FailoverStory Serving(
        bool hasArbiter = false, PeerLoss onPeerLoss = PeerLoss.Auto, bool autoswitch = true,
        Func<ReplicaSettings, ReplicaSettings>? adjust = null)
    {
        var story = new FailoverStory(hasArbiter, onPeerLoss, autoswitch, adjust);
        story.Show();
        story.Pair.LinkUp();
        story.B.Replica.HandOver(story.B.Answer);
        story.Pair.Run();
        story.A.Replica.Promote(false, story.A.Answer);
        story.Pair.Run();
        story.Tick(2);
        story.A.Answers.Clear();
        story.B.Answers.Clear();
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(LinkPhase.Joined, story.B.Replica.Phase);
        return story;
    }

    public void Cut(PathKind path) => Cut(path, A, B);

    /// <summary>
    /// What these nodes send on this network is lost. The link needs both directions of the dedicated one.
    /// </summary>
    public void Cut(PathKind path, params ManualNode[] from)
    {
        foreach (ManualNode node in from)
        {
            _cuts.Add((node, path));
        }

        if (path == PathKind.Dedicated)
        {
            Pair.LinkDown(run: false);
        }

        Show();
        Pair.Run();
    }

    public void CutAll()
    {
        _cuts.UnionWith(
            from n in Nodes from p in new[] { PathKind.Dedicated, PathKind.Production } select (n, p));
        Pair.LinkDown(run: false);
        ForgetControl(A);
        ForgetControl(B);
        Show();
        Pair.Run();
    }

    /// <summary>The network carries again what both send. The link stays down.</summary>
    public void Heal(PathKind path, params ManualNode[] from)
    {
        foreach (ManualNode node in from.Length == 0 ? Nodes : from)
        {
            _cuts.Remove((node, path));
        }

        Show();
        Pair.Run();
    }

    public void HealAll()
    {
        _cuts.Clear();
        Show();
        Pair.LinkUp();
    }

    /// <summary>The daemon of the node is gone; its steps may have landed or not.</summary>
    public void Kill(ManualNode node)
    {
        node.Crash(new Random(1), powerCut: false);
        ForgetControl(node);
        Pair.LinkDown(run: false);
        Dead.Add(node);
        Show();
        Pair.Run();
    }

    /// <summary>
    /// The daemon of the node is gone and its kernel says so: the link is closed, and every heartbeat to it
    /// refused.
    /// </summary>
    public void KillOnLivingHost(ManualNode node)
    {
        node.Crash(new Random(1), powerCut: false);
        ForgetControl(node);
        Dead.Add(node);
        _refusesSinceNs[node] = Pair.NowNs;
        Pair.LinkDown(run: false);
        Show();
        Pair.Run();
    }

    public void Start(ManualNode node)
    {
        node.Crash(new Random(1), powerCut: false);
        Dead.Remove(node);
        _refusesSinceNs.Remove(node);
        Show();
        Pair.Run();
    }

    /// <summary>Each node is told how its paths are now.</summary>
    public void Show()
    {
        foreach (ManualNode node in Nodes.Where(IsRunning))
        {
            node.Replica.PathsChanged(Picture(node));
        }
    }

    public void Tick(int ticks = 1)
    {
        for (int i = 0; i < ticks; i++)
        {
            Pair.Advance(TickNs);
            foreach (ManualNode node in Nodes.Where(IsRunning))
            {
                node.Replica.Tick();
            }

            Pair.Run();
            DeliverControl();
            Show();
            Pair.Run();
        }
    }

    public void Seconds(double seconds) => Tick((int)(seconds * 10));

    public void Deliver(ManualNode to, ControlMessage message)
    {
        to.Replica.ControlArrived(message);
        Pair.Run();
    }

    public PathPicture Picture(ManualNode node)
    {
        ManualNode peer = node.Peer;
        PathSight[] sights =
        [
            .. new[] { PathKind.Dedicated, PathKind.Production }.Select(path => new PathSight(
                path.ToString(), path,
                _cuts.Contains((peer, path)) || !IsRunning(peer) ? PathState.Lost
                : _cuts.Contains((node, path)) ? PathState.HeardOnly : PathState.Up, 0)),
        ];
        Replica other = peer.Replica;
        var report = new PeerReport(
            other.Role, other.State.DiskState, other.State.Promotions, IsStuck: false, other.HasProduction,
            other.IsDisconnected);
        bool refuses = _refusesSinceNs.TryGetValue(peer, out long sinceNs);
        return new PathPicture(sights, Reported(peer, report), DaemonIsGone: refuses)
        {
            WasHeardLately = refuses && Pair.NowNs - sinceNs < DeadAfterNs,
        };
    }

    private bool IsRunning(ManualNode node) => !Paused.Contains(node) && !Dead.Contains(node);

    /// <summary>What it sent and was not delivered yet is lost.</summary>
    private void ForgetControl(ManualNode node) => _delivered[node] = node.Controls.Count;

    private void DeliverControl()
    {
        foreach (ManualNode node in Nodes)
        {
            while (!HoldsControl && _delivered[node] < node.Controls.Count)
            {
                ControlMessage message = node.Controls[_delivered[node]++];
                bool arrives = !_cuts.Contains((node, PathKind.Dedicated))
                    || !_cuts.Contains((node, PathKind.Production));
                if (arrives && IsRunning(node.Peer))
                {
                    Deliver(node.Peer, message);
                }
            }
        }
    }

    private void AnswerClaim(ManualNode node, SessionId session)
    {
        if (WithoutArbiter.Contains(node))
        {
            node.Replica.ArbiterAnswered(session, ClaimAnswer.Unreachable);
            return;
        }

        _keys.TryAdd(session, node);
        node.Replica.ArbiterAnswered(session,
            _keys[session] == node ? ClaimAnswer.Granted : ClaimAnswer.Refused);
    }
}
