using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// One random walk of a pair with two networks, an arbiter or none, and gateways: cuts in one direction,
/// lost, late and repeated control messages, nodes that stand still, crash or lose power, and commands. Each
/// promise of section 7 is checked from outside: by what clients and disks see.
/// </summary>
internal sealed partial class FailoverWalk
{
    private static readonly int[] Blocks = [0, 1, 40, 1024, 2100];
    private readonly ManualPair _pair;
    private readonly Random _random;
    private readonly bool _powerCuts;
    private readonly bool _hasArbiter;
    private readonly PeerLoss _onPeerLoss;
    private readonly Side[] _sides;
    private readonly Dictionary<SessionId, ManualNode> _keys = [];
    private readonly Dictionary<SessionId, ManualNode> _alone = [];
    private readonly Dictionary<SessionId, HashSet<ManualNode>> _evidence = [];
    private readonly Dictionary<int, Block> _blocks = Blocks.ToDictionary(b => b, _ => new Block());
    private readonly List<(ManualRequest Request, Dictionary<int, int> Acknowledged)> _flushes = [];
    private readonly List<string> _trace = [];
    private int _stamp;

    public FailoverWalk(int number)
    {
        _random = new Random(number);
        _powerCuts = number % 2 == 0;
        _hasArbiter = number % 3 != 0;
        _onPeerLoss = number % 3 == 0 && number % 9 < 6 ? PeerLoss.Freeze : PeerLoss.Auto;
        bool? isPreferred = _random.Next(3) == 0 ? true : null;
        _pair = new ManualPair(_hasArbiter, adjust: settings => settings with
        {
            OnPeerLoss = _onPeerLoss,
            Autoswitch = true,
            LinkTimeoutNs = FailoverStory.LinkTimeoutNs,
            TakeoverDelayNs = number % 5 == 0 ? 500 * Ms : 0,
            OutdateTimeoutNs = number % 4 == 0 ? 300 * Ms : 2_000 * Ms,
            IsPreferred = isPreferred is null ? null : settings.NodeName == "n1",
        });
        _sides = [new Side(_pair.A, Now), new Side(_pair.B, Now)];
        _sides[0].Peer = _sides[1];
        _sides[1].Peer = _sides[0];
        foreach (Side side in _sides)
        {
            Wire(side);
        }

        Connect();
    }

    /// <summary>
    /// Two nodes may both have gone on, as documented: without arbiter, by auto, each with a gateway.
    /// </summary>
    public bool IsSplit { get; private set; }

    /// <summary>
    /// Takeovers that nodes began by themselves, proofs that were stored: what the walk reached.
    /// </summary>
    public Dictionary<string, int> Reached { get; } = [];

    private long Now => _pair.NowNs;

    /// <summary>One block: what was written, in order of the stamps.</summary>
    private sealed class Block
    {
        public int Acknowledged { get; set; }

        public int Durable { get; set; }

        /// <summary>Newest that a client has read while nobody wrote, since the last crash.</summary>
        public int Seen { get; set; }

        public ManualRequest? Open { get; set; }

        /// <summary>A power cut may have taken it from the other side before it is acknowledged.</summary>
        public bool IsOpenDoubtful { get; set; }
    }

    public string Describe() => $"arbiter {_hasArbiter}, {_onPeerLoss}\n"
        + string.Join('\n', _trace.TakeLast(150)) + "\n"
        + string.Join('\n', _sides.Select(s => s.Node.Replica).Select(r =>
            $"{r.Role} {r.Path} {r.Phase} {r.State.DiskState} held {r.HeldRequests} dirty {r.DirtyBlocks} "
            + $"case {r.LastDecision?.Case} {r.LastFailover?.Case} proof {r.State.Proof} "
            + $"excluded {r.State.PeerExcluded}"));

    public void Step()
    {
        LetTimePass(_random.NextInt64(40 * Ms));
        Side side = _sides[_random.Next(2)];
        for (int i = _random.Next(6); i > 0; i--)
        {
            CompleteOne();
        }

        int what = _random.Next(1000);
        if (what < 120)
        {
            Write(side);
        }
        else if (what < 150)
        {
            Flush(side);
        }
        else if (what < 220)
        {
            Read(side);
        }
        else if (what < 235)
        {
            CutOrHeal(side);
        }
        else if (what < 300)
        {
            Connect();
        }
        else if (what < 306)
        {
            Command(side);
        }
        else if (what < 309)
        {
            Crash(side, isPlanned: false);
        }
        else if (what < 312 && side.IsRunning(Now))
        {
            StandStill(side);
        }
        else if (what < 325)
        {
            side.IsWithoutArbiter = _random.Next(3) == 0;
            side.Gateway = _random.Next(4) switch
            {
                0 => GatewayEvidence.Silent,
                1 => GatewayEvidence.NoCarrier,
                _ => GatewayEvidence.Answers,
            };
            side.Peer.Gateway = _random.Next(2) == 0 ? GatewayEvidence.Silent : GatewayEvidence.Answers;
        }

        CheckBoth();
    }

    /// <summary>
    /// Faults end: the pair joins with one primary, or tells an operator why not, and nothing is lost.
    /// </summary>
    public void Finish()
    {
        foreach (Side side in _sides)
        {
            side.CarriesSinceNs[Dedicated] = side.CarriesSinceNs[Production] = Now;
            side.IsWithoutArbiter = false;
            side.Gateway = GatewayEvidence.Answers;
            side.PausedUntilNs = side.StuckUntilNs = side.DownUntilNs = 0;
        }

        for (int round = 0; round < 3000 && !IsQuiet(); round++)
        {
            LetTimePass(40 * Ms);
            Connect();
            for (int i = 0; i < 30; i++)
            {
                CompleteOne();
            }

            CheckBoth();
            bool isNobody =
                _sides.All(s => s.Node.Replica is { Role: Role.Standby, Phase: LinkPhase.Joined });
            if (isNobody && round % 200 == 199)
            {
                _pair.A.Replica.Promote(false, _pair.A.Answer);
            }
        }

        HandshakeDecision? decision = _pair.A.Replica.LastDecision;
        if (_pair.A.Replica.Phase != LinkPhase.Joined && decision is { Joins: false } refused)
        {
            Assert.True(
                IsSplit || MaySplit || refused.Case is HandshakeCase.SameUndecided
                    or HandshakeCase.AheadNotUpToDate or HandshakeCase.PrimaryWouldBeTarget
                    or HandshakeCase.SameInconsistent,
                refused.Case.ToString());
            return;
        }

        Assert.True(IsQuiet(), "the pair is joined, with one primary, and every request is answered");
        if (IsSplit)
        {
            return;
        }

        ManualNode primary = _sides.Single(s => s.Node.Replica.Role == Role.Primary).Node;
        Assert.Equal(primary.Disk, primary.Peer.Disk);
        foreach ((int number, Block block) in _blocks)
        {
            int found = primary.Disk[number];
            Assert.True(found >= block.Durable, $"block {number}: durable {block.Durable}, found {found}");
            Assert.True(found >= block.Acknowledged,
                $"block {number}: acknowledged {block.Acknowledged}, found {found}");
        }
    }

    private bool IsQuiet() => _sides.All(s => s.Node.Replica.Phase == LinkPhase.Joined)
        && _sides.Count(s => s.Node.Replica.Role == Role.Primary) == 1
        && _blocks.Values.All(b => b.Open is null) && _flushes.Count == 0;

    private void Wire(Side side)
    {
        ManualNode node = side.Node;
        node.Completed = Completed;
        node.RoleWanted = () => _pair.Add(node, "hand over", () => node.Replica.HandOver(node.Answer));
        node.ControlSent = message => Post(side, message);
        node.Claimed = session => Claim(side, session);
        node.GatewayAsked = question => _pair.Add(node, "gateway", () => AnswerGateway(side, question));
        node.RoleTaken = role =>
        {
            Note(side, $"role {role}");
            Assert.True(role == Role.Standby || node.Stored[0].DiskState == DiskState.UpToDate,
                $"a copy that is {node.Stored[0].DiskState} is promoted");
            side.PrimarySinceNs = role == Role.Primary ? Now : -1;
        };
        node.TakeoverBegun = () =>
        {
            Note(side, $"takeover: {node.Takeovers[^1]}");
            Count($"takeover {node.Replica.LastFailover?.Case.ToString() ?? "at a join"}");
            CheckPeerIsGone(side, "begins a takeover");
            side.IsTakingOver = true;
            _pair.Add(node, "takeover", () => node.Replica.Promote(
                false,
                (succeeded, message, _) =>
                {
                    Note(side, $"takeover ends: {message}");
                    side.IsTakingOver = false;
                    node.Replica.TakeoverEnded();
                },
                automatic: true));
        };
    }

    private void CompleteOne()
    {
        List<ManualStep> eligible = _pair.Eligible();
        eligible.RemoveAll(step =>
        {
            Side owner = SideOf(step.Node);
            return !owner.Moves(Now)
                || (step.Kind == "send" && (!Carries(owner, Dedicated) || !owner.Peer.Moves(Now)));
        });
        if (eligible.Count == 0)
        {
            return;
        }

        ManualStep next = eligible[_random.Next(eligible.Count)];
        Side side = SideOf(next.Node);
        if (next.Kind is not ("copy" or "apply" or "send" or "read"))
        {
            Note(side, next.Kind);
        }

        if (next.Kind == "close")
        {
            bool wasConnected = next.Node.IsConnected;
            Disconnect(side);
            if (wasConnected)
            {
                next.Node.Replica.LinkLost("closed here");
            }

            return;
        }

        _pair.Complete(next);
    }

    private Side SideOf(ManualNode node) => _sides[node == _pair.A ? 0 : 1];

    private void Note(Side side, string what)
    {
        Replica replica = side.Node.Replica;
        _trace.Add($"{Now / Ms,6} {(side == _sides[0] ? "a" : "b")} {what} "
            + $"| {replica.Role} {replica.Path} {replica.Phase} "
            + $"{replica.State.DiskState}{(replica.HasProof ? " proof" : "")}");
    }

    private void Count(string what) => Reached[what] = Reached.GetValueOrDefault(what) + 1;

    private void CutOrHeal(Side side)
    {
        switch (_random.Next(8))
        {
            case 0:
                Set(side, Dedicated, carries: false);
                break;
            case 1:
                Set(side, Production, carries: false);
                break;
            case 2:
                Set(side, Dedicated, carries: false);
                Set(side.Peer, Dedicated, carries: false);
                break;
            case 3 or 4:
                foreach (Side each in _sides)
                {
                    Set(each, Dedicated, carries: false);
                    Set(each, Production, carries: false);
                }

                break;
            default:
                int path = _random.Next(3);
                foreach (Side each in _sides)
                {
                    Set(each, Dedicated, Carries(each, Dedicated) || path != Production);
                    Set(each, Production, Carries(each, Production) || path != Dedicated);
                }

                break;
        }
    }

    private void Set(Side side, int path, bool carries)
    {
        if (carries != Carries(side, path))
        {
            Note(side, $"{(carries ? "carries" : "cut")} {(path == Dedicated ? "dedicated" : "production")}");
            side.CarriesSinceNs[path] = carries ? Now : -1;
        }
    }

    private void Command(Side side)
    {
        if (!side.Moves(Now))
        {
            return;
        }

        ManualNode node = side.Node;
        int which = _random.Next(6);
        Note(side, $"command {which}");
        switch (which)
        {
            case 0:
                node.Replica.Demote(node.Answer);
                break;
            case 1:
                node.Replica.HandOver(node.Answer);
                break;
            case 2:
                node.Replica.RequestRole(node.Answer);
                break;
            case 3:
                node.Replica.Stop((_, _, _) => _pair.Add(node, "end", () => Crash(side, isPlanned: true)));
                break;
            default:
                node.Replica.Promote(false, node.Answer);
                break;
        }
    }

    private void StandStill(Side side)
    {
        long untilNs = Now + _random.NextInt64(5_000 * Ms);
        bool isLoopOnly = _random.Next(3) == 0;
        Note(side, $"{(isLoopOnly ? "stuck" : "paused")} for {(untilNs - Now) / Ms}");
        side.PausedUntilNs = isLoopOnly ? side.PausedUntilNs : untilNs;
        side.StuckUntilNs = isLoopOnly ? untilNs : side.StuckUntilNs;
        side.WellSinceNs = untilNs;
    }

    private void Crash(Side side, bool isPlanned)
    {
        if (side.IsDown)
        {
            return;
        }

        bool powerCut = _powerCuts && !isPlanned && _random.Next(2) == 0;
        Note(side, powerCut ? "loses power" : "ends");
        _pair.DropSends();
        side.Peer.IsClosedByPeer = side.Node.IsConnected && !powerCut;
        side.Node.Crash(_random, powerCut);
        foreach ((int number, Block block) in _blocks)
        {
            block.Seen = 0;
            if (powerCut)
            {
                // What no flush covered may be lost with the node that has it (I-2).
                block.Acknowledged = block.Durable;
                block.IsOpenDoubtful = block.Open is not null;
                _flushes.ForEach(f => f.Acknowledged[number] = block.Durable);
            }
        }

        foreach (Block block in _blocks.Values.Where(b => b.Open is { } open && open.Owner == side.Node))
        {
            block.Open = null;
            block.IsOpenDoubtful = false;
        }

        _flushes.RemoveAll(f => f.Request.Owner == side.Node);
        side.IsDown = true;
        side.IsTakingOver = false;
        side.PrimarySinceNs = -1;
        side.PausedUntilNs = side.StuckUntilNs = 0;
        side.DownUntilNs = Now + _random.NextInt64(_random.Next(2) == 0 ? 300 * Ms : 8_000 * Ms);
    }

    /// <summary>Its daemon starts again: what it knew of the paths and the peer is gone.</summary>
    private void Restart(Side side)
    {
        side.Node.Crash(_random, powerCut: false);
        side.IsDown = false;
        side.WellSinceNs = side.LastTickNs = Now;
        side.Shown = null;
        side.Report = null;
        side.IsClosedByPeer = false;
        side.ForgetWatch(Now);
        Note(side, "starts");
    }
}
