using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// Random walks of a pair with an arbiter: steps complete in any order, links break and are noticed late,
/// nodes crash and lose power, roles change by command. What was acknowledged must be there in the end, on
/// both sides.
/// </summary>
public class RandomWalkTests
{
    private const int Walks = 200;
    private const int Steps = 500;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Whatever_happens_to_disks_acknowledged_writes_survive_and_both_sides_end_equal(int seed) =>
        Run(seed, failsDisks: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Whatever_happens_acknowledged_writes_survive_and_both_sides_end_equal(int seed) => Run(seed, failsDisks: false);

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void Whatever_is_disconnected_or_thrown_away_acknowledged_writes_survive_and_both_sides_end_equal(int seed) =>
        Run(seed, failsDisks: false, leaves: true);

    private static readonly string[] OfLeaving = ["disconnected r", "connecting r", "invalidated r", "alone r"];

    private static readonly string[] OfDisks =
    [
        "disk-failed ", "diskless ", "detached ", "read-repaired ", "keeps-only-copy r: PeerOutdated",
        "keeps-only-copy r: ArbiterGrant", "handshake r: DisklessPrimary, ServeDiskless", "peer-disk-failed ",
    ];

    private static void Run(int seed, bool failsDisks, bool leaves = false)
    {
        var missing = new HashSet<string>(failsDisks ? OfDisks : leaves ? OfLeaving : []);
        for (int walk = 0; walk < Walks; walk++)
        {
            int number = seed * 100_000 + walk;
            var world = new Walk(number, powerCuts: walk % 2 == 0, failsDisks, leaves);
            try
            {
                for (int step = 0; step < Steps; step++)
                {
                    world.Step();
                }

                world.Finish();
            }
            catch (Exception problem)
            {
                Assert.Fail($"walk {number}: {problem.Message}\n{problem.StackTrace}\n" + world.Describe());
            }

            missing.RemoveWhere(kind => world.Events.Any(e => e.StartsWith(kind, StringComparison.Ordinal)));
        }

        Assert.Empty(missing);
    }

    private sealed class Walk
    {
        private static readonly int[] Blocks = [0, 1, 40, 1024, 2100];
        private static readonly string[] Kinds =
            ["apply", "write", "flush", "log", "superblock", "dirty", "copy", "", "hash"];
        private readonly string _slow;
        private readonly ManualNode _slowNode;
        private readonly ManualPair _pair;
        private readonly Random _random;
        private readonly bool _powerCuts;
        private readonly Random? _disks;
        private readonly Random? _leaves;
        private readonly Dictionary<SessionId, ManualNode> _keys = [];
        private readonly Dictionary<int, Block> _blocks = Blocks.ToDictionary(b => b, _ => new Block());
        private readonly List<(ManualRequest Request, Dictionary<int, int> Acknowledged)> _flushes = [];
        private readonly HashSet<ManualNode> _mustNotice = [];
        private readonly List<string> _trace = [];
        private int _stamp;

        public Walk(int number, bool powerCuts, bool failsDisks, bool leaves)
        {
            _pair = new ManualPair(hasArbiter: true, adjust: s => s with { ResyncByChecksum = number % 3 == 0 });
            _random = new Random(number);
            _disks = failsDisks ? new Random(number) : null;
            _leaves = leaves ? new Random(number) : null;
            _powerCuts = powerCuts;
            _slow = Kinds[_random.Next(Kinds.Length)];
            _slowNode = _random.Next(2) == 0 ? _pair.A : _pair.B;
            foreach (ManualNode node in new[] { _pair.A, _pair.B })
            {
                node.Completed = Completed;
                node.RoleWanted = () =>
                    _pair.Add(node, "hand over", () => node.Replica.HandOver(node.Answer));
                node.Claimed = session => _pair.Add(node, "claim", () => Answer(node, session));
            }

            _pair.LinkUp();
        }

        /// <summary>One block: what was written, in order of the stamps.</summary>
        private sealed class Block
        {
            public int Acknowledged { get; set; }

            public int Durable { get; set; }

            public ManualRequest? Open { get; set; }

            /// <summary>
            /// A power cut may have taken it from the other side before it is acknowledged.
            /// </summary>
            public bool IsOpenDoubtful { get; set; }
        }

        public IEnumerable<string> Events => _pair.A.Events.Concat(_pair.B.Events);

        public string Describe() => string.Join('\n', _trace.Where(t => !IsDull(t)).TakeLast(150)) + "\n"
            + string.Join('\n', new[] { _pair.A, _pair.B }.Select(n =>
                $"{n.Replica.Role} {n.Replica.Path} {n.Replica.Phase} {n.Replica.State.DiskState} "
                + $"held {n.Replica.HeldRequests} dirty {n.Replica.DirtyBlocks} "
                + $"case {n.Replica.LastDecision?.Case}"));

        /// <summary>The copying of everything fills a trace and says nothing.</summary>
        private static bool IsDull(string step) =>
            step.Contains(" copy ") || step.Contains(" apply ") || step.Contains(" send ");

        public void Step()
        {
            ManualNode node = _random.Next(2) == 0 ? _pair.A : _pair.B;
            int what = _random.Next(1000);
            if (what < 720)
            {
                List<ManualStep> eligible = _pair.Eligible();
                eligible.RemoveAll(e => e.Kind == _slow && e.Node == _slowNode && _random.Next(30) != 0);
                if (eligible.Count > 0)
                {
                    ManualStep step = eligible[_random.Next(eligible.Count)];
                    Note(step.Node, step.Kind);
                    if (step.Kind == "close")
                    {
                        Cut();
                    }

                    _pair.Complete(step);
                }
            }
            else if (what < 820)
            {
                Write(node);
            }
            else if (what < 850)
            {
                Flush(node);
            }
            else if (what < 870)
            {
                Read(node);
            }
            else if (what < 885)
            {
                Cut();
            }
            else if (what < 925)
            {
                NoticeOrConnect(node);
            }
            else if (what < 945)
            {
                _pair.Advance(1_000_000_000);
                node.Replica.Tick();
            }
            else if (what < 975)
            {
                Command(node);
            }
            else if (what < 985)
            {
                Crash(node);
            }

            if (_leaves?.Next(25) == 0)
            {
                LeaveOrCome(node);
            }

            if (_disks is not null)
            {
                GoOn(8);
                if (_disks.Next(60) == 0)
                {
                    // Mostly the one that serves: the other one often is being copied to.
                    HurtDisk(_disks.Next(4) == 0 ? node : Primaries().FirstOrDefault() ?? node);
                }
            }
        }

        /// <summary>A copy that was thrown away may hold anything from then on.</summary>
        private void LeaveOrCome(ManualNode node)
        {
            GoOn(_leaves!.Next(40));
            switch (_leaves.Next(6))
            {
                case 0:
                    Note(node, "disconnect");
                    node.Replica.Disconnect(node.Answer);
                    break;
                case 1:
                    Note(node, "invalidate");
                    Core.Replication.Replica replica = node.Replica;
                    node.Replica.Invalidate((succeeded, _, _) =>
                    {
                        if (succeeded && node.Replica == replica)
                        {
                            Array.ForEach(Blocks, block => node.Disk[block] = -1);
                        }
                    });
                    break;
                default:
                    Note(node, "connect by command");
                    node.Replica.Connect(node.Answer);
                    break;
            }
        }

        /// <summary>So that joins end before the next thing happens.</summary>
        private void GoOn(int steps)
        {
            for (; steps > 0 && _pair.Eligible() is { Count: > 0 } eligible && eligible[0].Kind != "close"; steps--)
            {
                Note(eligible[0].Node, eligible[0].Kind);
                _pair.Complete(eligible[0]);
            }
        }

        private void HurtDisk(ManualNode node)
        {
            switch (_disks!.Next(9))
            {
                case > 4:
                    int read = Blocks[_disks.Next(Blocks.Length)];
                    Note(node, $"block {read} can't be read");
                    node.Unreadable.Add(read);
                    Read(node, read);
                    break;
                case 0 or 4:
                    Note(node, "writes fail");
                    node.FailsWrites = true;
                    node.FailsStores = _disks.Next(2) == 0;
                    break;
                case 1:
                    Note(node, "flushes fail");
                    node.FailsFlushes = true;
                    break;
                case 2:
                    Cut();
                    break;
                case 3:
                    Note(node, "detach");
                    node.Replica.Detach(node.Answer);
                    break;
            }
        }

        /// <summary>A disk that works again; a daemon that has given its own up starts anew.</summary>
        private void MendDisk(ManualNode node)
        {
            node.FailsWrites = node.FailsStores = node.FailsFlushes = false;
            node.Unreadable.Clear();
            if (_disks is not null && node.Replica.DiskState <= DiskState.Failed)
            {
                Crash(node);
            }
        }

        public void Finish()
        {
            Cut();
            for (int round = 0; round < 40; round++)
            {
                MendDisk(_pair.A);
                MendDisk(_pair.B);
                _pair.A.Replica.Connect(_pair.A.Answer);
                _pair.B.Replica.Connect(_pair.B.Answer);
                Settle();
                if (!Primaries().Any() && _pair.A.Replica.Phase == LinkPhase.Joined)
                {
                    _pair.A.Replica.Promote(false, _pair.A.Answer);
                }

                bool isQuiet = _pair.A.Replica.Phase == LinkPhase.Joined
                    && _pair.B.Replica.Phase == LinkPhase.Joined && Primaries().Count() == 1
                    && _blocks.Values.All(b => b.Open is null) && _flushes.Count == 0;
                if (isQuiet)
                {
                    break;
                }
            }

            HandshakeDecision? decision = _pair.A.Replica.LastDecision;
            if (_pair.A.Replica.Phase != LinkPhase.Joined && decision is { Joins: false } refused)
            {
                Assert.True(refused.Case is HandshakeCase.SameUndecided or HandshakeCase.AheadNotUpToDate
                    or HandshakeCase.PrimaryWouldBeTarget or HandshakeCase.SameInconsistent,
                    refused.Case.ToString());
                return;
            }

            Assert.Equal(LinkPhase.Joined, _pair.A.Replica.Phase);
            Assert.Equal(LinkPhase.Joined, _pair.B.Replica.Phase);
            Assert.All(_blocks.Values, b => Assert.Null(b.Open));
            Assert.Empty(_flushes);
            ManualNode primary = Assert.Single(Primaries());
            Assert.Equal(primary.Disk, primary.Peer.Disk);
            foreach ((int number, Block block) in _blocks)
            {
                AssertThere(number, block, primary.Disk[number]);
            }
        }

        private void AssertThere(int number, Block block, int found)
        {
            Assert.True(found >= block.Durable, $"block {number}: durable {block.Durable}, found {found}");
            Assert.True(found >= block.Acknowledged,
                $"block {number}: acknowledged {block.Acknowledged}, found {found}");
        }

        private IEnumerable<ManualNode> Primaries() =>
            new[] { _pair.A, _pair.B }.Where(n => n.Replica.Role == Role.Primary);

        private void Settle()
        {
            foreach (ManualNode node in new[] { _pair.A, _pair.B })
            {
                NoticeOrConnect(node);
                NoticeOrConnect(node);
            }

            for (int ticks = 0; ticks < 20; ticks++)
            {
                for (int steps = 0; steps < 5000 && _pair.Eligible() is { Count: > 0 } eligible; steps++)
                {
                    if (eligible[0].Kind == "close")
                    {
                        Cut();
                    }

                    Note(eligible[0].Node, eligible[0].Kind);
                    _pair.Complete(eligible[0]);
                    NoticeOrConnect(_pair.A);
                    NoticeOrConnect(_pair.B);
                }

                _pair.Advance(1_000_000_000);
                _pair.A.Replica.Tick();
                _pair.B.Replica.Tick();
            }
        }

        private void Note(ManualNode node, string what) =>
            _trace.Add($"{(node == _pair.A ? "a" : "b")} {what} | {node.Replica.Role} {node.Replica.Path} "
                + $"{node.Replica.Phase} {node.Replica.State.DiskState}");

        private void Cut()
        {
            _pair.DropSends();
            foreach (ManualNode node in new[] { _pair.A, _pair.B }.Where(n => n.IsConnected))
            {
                Note(node, "cut");
                node.IsConnected = false;
                _mustNotice.Add(node);
            }
        }

        private void NoticeOrConnect(ManualNode node)
        {
            if (_mustNotice.Remove(node))
            {
                Note(node, "notices");
                node.Replica.LinkLost("cut");
            }
            else if (_mustNotice.Count == 0 && !_pair.A.IsConnected && !_pair.B.IsConnected)
            {
                Note(node, "connect");
                var session = new SessionId((ulong)_random.NextInt64(1, long.MaxValue));
                _pair.A.IsConnected = _pair.B.IsConnected = true;
                _pair.A.Replica.LinkUp(session);
                _pair.B.Replica.LinkUp(session);
            }
        }

        private void Command(ManualNode node)
        {
            Note(node, "command");
            switch (_random.Next(7))
            {
                case 5:
                    node.Replica.RequestRole(node.Answer);
                    break;
                case 6:
                    // The daemon ends when its resource has stopped, and is started again.
                    node.Replica.Stop((_, _, _) => _pair.Add(node, "end", () => Crash(node)));
                    break;
                case 0:
                    node.Replica.Demote(node.Answer);
                    break;
                case 1:
                    node.Replica.HandOver(node.Answer);
                    break;
                default:
                    node.Replica.Promote(false, node.Answer);
                    break;
            }
        }

        private void Crash(ManualNode node)
        {
            Cut();
            Note(node, "crash");
            _mustNotice.Remove(node);
            if (_disks?.Next(2) == 0)
            {
                node.FailsWrites = node.FailsStores = node.FailsFlushes = false;
            }

            bool powerCut = _powerCuts && _random.Next(2) == 0;
            node.Crash(_random, powerCut);
            foreach ((int number, Block block) in powerCut ? _blocks : [])
            {
                // What no flush covered may be lost with the node that has it (I-2).
                block.Acknowledged = block.Durable;
                block.IsOpenDoubtful = block.Open is not null;
                _flushes.ForEach(f => f.Acknowledged[number] = block.Durable);
            }

            foreach (Block block in _blocks.Values.Where(b => b.Open is { } open && open.Owner == node))
            {
                block.Open = null;
                block.IsOpenDoubtful = false;
            }

            _flushes.RemoveAll(f => f.Request.Owner == node);
        }

        private void Answer(ManualNode node, SessionId session)
        {
            if (_random.Next(4) == 0)
            {
                node.Replica.ArbiterAnswered(session, ClaimAnswer.Unreachable);
                return;
            }

            _keys.TryAdd(session, node);
            Note(node, _keys[session] == node ? "granted" : "refused");
            node.Replica.ArbiterAnswered(session,
                _keys[session] == node ? ClaimAnswer.Granted : ClaimAnswer.Refused);
        }

        private void Write(ManualNode node)
        {
            int number = Blocks[_random.Next(Blocks.Length)];
            if (_blocks[number].Open is null && node.Replica.Role == Role.Primary)
            {
                ManualRequest request = node.Make(VolumeOperation.Write, number, ++_stamp);
                Note(node, $"write {number} = {_stamp}");
                _blocks[number].Open = request;
                node.Replica.Submit(request);
            }
        }

        private void Flush(ManualNode node)
        {
            if (node.Replica.Role == Role.Primary)
            {
                Note(node, "flush");
                ManualRequest request = node.Make(VolumeOperation.Flush);
                _flushes.Add((request, _blocks.ToDictionary(b => b.Key, b => b.Value.Acknowledged)));
                node.Replica.Submit(request);
            }
        }

        private void Read(ManualNode node) => Read(node, Blocks[_random.Next(Blocks.Length)]);

        private void Read(ManualNode node, int number)
        {
            ManualRequest request = node.Make(VolumeOperation.Read, number);
            request.Least = _blocks[number].Durable;
            request.LeastWithoutPowerCut = _powerCuts ? 0 : _blocks[number].Acknowledged;
            node.Replica.Submit(request);
        }

        private void Completed(ManualRequest request)
        {
            int number = (int)(request.Offset / 4096);
            switch (request.Operation)
            {
                case VolumeOperation.Write:
                    Block block = _blocks[number];
                    Assert.Same(block.Open, request);
                    block.Open = null;
                    block.Acknowledged = request.Result == 0 && !block.IsOpenDoubtful
                        ? request.Stamp : block.Acknowledged;
                    block.IsOpenDoubtful = false;
                    _trace.Add($"  done {number} = {request.Stamp}: {request.Result}");
                    break;
                case VolumeOperation.Flush:
                    int at = _flushes.FindIndex(f => f.Request == request);
                    foreach ((int covered, int stamp) in request.Result == 0 ? _flushes[at].Acknowledged : [])
                    {
                        _blocks[covered].Durable = Math.Max(_blocks[covered].Durable, stamp);
                    }

                    _trace.Add($"  flushed: {request.Result}");
                    _flushes.RemoveAt(at);
                    break;
                case VolumeOperation.Read when request.Result == 0 && !_mustNotice.Contains(request.Owner!):
                    // (One that has not noticed yet that the link is lost may still read: bounded by the
                    // link timeout.)
                    Assert.True(request.Stamp >= request.Least,
                        $"read {request.Stamp} of {number}, durable {request.Least}");
                    Assert.True(request.Stamp >= request.LeastWithoutPowerCut,
                        $"read {request.Stamp} of {number}, acknowledged {request.LeastWithoutPowerCut}");
                    break;
                case VolumeOperation.Read or VolumeOperation.Zero or VolumeOperation.Discard:
                    break;
            }
        }
    }
}
