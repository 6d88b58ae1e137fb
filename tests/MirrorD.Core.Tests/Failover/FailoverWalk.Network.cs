using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

/// <content>
/// Two networks, each with two directions; heartbeats, the link's silence, control messages.
/// </content>
internal sealed partial class FailoverWalk
{
    private const long Ms = 1_000_000;
    private const long DeadAfterNs = 1_000 * Ms;
    private const long BeatNs = 100 * Ms;
    private const int Dedicated = 0;
    private const int Production = 1;
    private readonly List<(Side To, ControlMessage Message, long AtNs)> _letters = [];

    /// <summary>One node with everything around its replica.</summary>
    private sealed class Side(ManualNode node, long nowNs)
    {
        public ManualNode Node { get; } = node;

        public Side Peer { get; set; } = null!;

        /// <summary>What it sends on this path arrives since then; -1: it is cut.</summary>
        public long[] CarriesSinceNs { get; } = [0, 0];

        /// <summary>The process stands still until then.</summary>
        public long PausedUntilNs { get; set; }

        /// <summary>
        /// Only its loop stands still until then: heartbeats go on, and say so after a while.
        /// </summary>
        public long StuckUntilNs { get; set; }

        /// <summary>Its daemon is gone until then.</summary>
        public long DownUntilNs { get; set; }

        public bool IsDown { get; set; }

        /// <summary>It has been well since then.</summary>
        public long WellSinceNs { get; set; }

        public long LastTickNs { get; set; } = nowNs;

        public long NextBeatNs { get; set; }

        public long WatchedSinceNs { get; set; } = nowNs;

        public long LastWatchNs { get; set; } = nowNs;

        public long[] HeardAtNs { get; } = [-1, -1];

        public bool[] IsHeardByPeer { get; } = [false, false];

        public PeerReport? Report { get; set; }

        public PathPicture? Shown { get; set; }

        public long LinkHeardAtNs { get; set; }

        /// <summary>The other end has closed the connection.</summary>
        public bool IsClosedByPeer { get; set; }

        public bool IsWithoutArbiter { get; set; }

        public GatewayEvidence Gateway { get; set; } = GatewayEvidence.Answers;

        /// <summary>A takeover that it began by itself is under way.</summary>
        public bool IsTakingOver { get; set; }

        public long PrimarySinceNs { get; set; } = -1;

        public bool IsRunning(long nowNs) => !IsDown && nowNs >= PausedUntilNs;

        public bool Moves(long nowNs) => IsRunning(nowNs) && nowNs >= StuckUntilNs;

        public void ForgetWatch(long nowNs)
        {
            WatchedSinceNs = LastWatchNs = nowNs;
            HeardAtNs[Dedicated] = HeardAtNs[Production] = -1;
        }
    }

    private bool Carries(Side from, int path) => from.CarriesSinceNs[path] >= 0;

    /// <summary>Everything that goes by the clock.</summary>
    private void LetTimePass(long ns)
    {
        _pair.Advance(ns);
        foreach (Side side in _sides)
        {
            if (side.IsDown && Now >= side.DownUntilNs)
            {
                Restart(side);
            }
        }

        foreach (Side side in _sides.Where(s => s.IsRunning(Now)))
        {
            if (Now - side.LastWatchNs > DeadAfterNs)
            {
                side.ForgetWatch(Now);
            }

            side.LastWatchNs = Now;
            Beat(side);
        }

        foreach (Side side in _sides)
        {
            KeepAlive(side);
        }

        foreach (Side side in _sides.Where(s => s.Moves(Now)))
        {
            Watch(side);
            if (Now - side.LastTickNs >= BeatNs)
            {
                side.LastTickNs = Now;
                side.Node.Replica.Tick();
            }

            NoticeLink(side);
        }

        DeliverLetters();
    }

    private void Beat(Side side)
    {
        if (Now < side.NextBeatNs)
        {
            return;
        }

        side.NextBeatNs = Now + BeatNs;
        Replica replica = side.Node.Replica;
        var report = new PeerReport(
            replica.Role, replica.State.DiskState, replica.State.Promotions,
            Now - side.LastTickNs > DeadAfterNs);
        for (int path = Dedicated; path <= Production; path++)
        {
            if (Carries(side, path) && side.Peer.IsRunning(Now))
            {
                side.Peer.HeardAtNs[path] = Now;
                side.Peer.IsHeardByPeer[path] = StateOf(side, path) is PathState.Up or PathState.HeardOnly;
                side.Peer.Report = report;
            }
        }
    }

    private PathState StateOf(Side side, int path) =>
        side.HeardAtNs[path] >= 0 && Now - side.HeardAtNs[path] < DeadAfterNs
            ? side.IsHeardByPeer[path] ? PathState.Up : PathState.HeardOnly
        : Now - side.WatchedSinceNs >= DeadAfterNs ? PathState.Lost
        : PathState.Unknown;

    private void Watch(Side side)
    {
        PathSight[] sights =
        [
            new("d", PathKind.Dedicated, StateOf(side, Dedicated), 0),
            new("p", PathKind.Production, StateOf(side, Production), 0),
        ];
        bool isNew = side.Shown is not { } shown || !shown.Paths.SequenceEqual(sights)
            || shown.Report != side.Report;
        if (isNew)
        {
            side.Shown = new PathPicture(sights, side.Report, false);
            Note(side, $"paths {sights[0].State} {sights[1].State}");
            side.Node.Replica.PathsChanged(side.Shown);
        }
    }

    private void KeepAlive(Side side)
    {
        if (side.Node.IsConnected && side.Peer.Node.IsConnected
            && Carries(side.Peer, Dedicated) && side.Peer.IsRunning(Now))
        {
            side.LinkHeardAtNs = Now;
        }
    }

    private void NoticeLink(Side side)
    {
        if (!side.Node.IsConnected)
        {
            return;
        }

        bool isClosed = side.IsClosedByPeer && Carries(side.Peer, Dedicated);
        if (isClosed || Now - side.LinkHeardAtNs > FailoverStory.LinkTimeoutNs)
        {
            Note(side, isClosed ? "link closed" : "link silent");
            Disconnect(side);
            side.Node.Replica.LinkLost("cut");
        }
    }

    /// <summary>This end is gone; the other one hears of it, if it hears anything.</summary>
    private void Disconnect(Side side)
    {
        _pair.DropSends();
        side.Node.IsConnected = false;
        side.Peer.IsClosedByPeer = true;
    }

    private void Connect()
    {
        bool isPossible = _sides.All(s => s.Moves(Now) && !s.Node.IsConnected && Carries(s, Dedicated));
        if (!isPossible)
        {
            return;
        }

        var session = new SessionId((ulong)_random.NextInt64(1, long.MaxValue));
        foreach (Side side in _sides)
        {
            Note(side, "connect");
            side.Node.IsConnected = true;
            side.IsClosedByPeer = false;
            side.LinkHeardAtNs = Now;
        }

        foreach (Side side in _sides)
        {
            side.Node.Replica.LinkUp(session);
        }
    }

    private void Post(Side from, ControlMessage message)
    {
        for (int path = Dedicated; path <= Production; path++)
        {
            for (int copies = _random.Next(8) == 0 ? 2 : 1; copies > 0; copies--)
            {
                if (Carries(from, path) && _random.Next(5) != 0)
                {
                    long delayNs = _random.NextInt64(_random.Next(10) == 0 ? 6_000 * Ms : 30 * Ms);
                    _letters.Add((from.Peer, message, Now + delayNs));
                }
            }
        }
    }

    private void DeliverLetters()
    {
        for (int i = _letters.Count - 1; i >= 0; i--)
        {
            (Side to, ControlMessage message, long atNs) = _letters[i];
            if (Now < atNs || (to.IsRunning(Now) && !to.Moves(Now)))
            {
                continue;
            }

            _letters.RemoveAt(i);
            if (to.Moves(Now))
            {
                Note(to, $"hears {message}");
                to.Node.Replica.ControlArrived(message);
            }
        }
    }
}
