using FsCheck;
using FsCheck.Fluent;
using MirrorD.Core.Failover;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// Whatever comes in whatever order: a path's state follows from when it was heard, and events tell every
/// lasting change once.
/// </summary>
public class PathMonitorPropertyTests
{
    private const long Ms = 1_000_000;
    private const int Paths = 3;

    private static readonly PathTimes s_times = new(100 * Ms, 500 * Ms);

    private enum Act
    {
        Wait, Fresh, NotHeard, Old, Refuse,
    }

    private sealed record Step(Act Act, int Path, int WaitMs);

    private static Gen<Step> Steps =>
        from act in Gen.Frequency(
            (6, Gen.Constant(Act.Wait)), (8, Gen.Constant(Act.Fresh)), (2, Gen.Constant(Act.NotHeard)),
            (2, Gen.Constant(Act.Old)), (1, Gen.Constant(Act.Refuse)))
        from path in Gen.Choose(0, Paths - 1)
        from wait in Gen.Frequency(
            (30, Gen.Choose(1, 120)), (3, Gen.Choose(100, 700)), (1, Gen.Choose(501, 3000)))
        select new Step(act, path, wait);

    [Fact]
    public void The_state_of_a_path_follows_from_when_and_how_it_was_heard() =>
        Prop.ForAll(Steps.ListOf().ToArbitrary(), steps => Run([.. steps]))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(150));

    private static void Run(List<Step> steps)
    {
        long now = 7_000 * Ms;
        var monitor = new PathMonitor(
            "b", [.. Enumerable.Range(0, Paths).Select(i => ($"p{i}", PathKind.Dedicated))], s_times, now);
        var model = new Model(now);
        foreach (Step step in steps)
        {
            switch (step.Act)
            {
                case Act.Wait:
                    now += step.WaitMs * Ms;
                    model.Pass(now);
                    model.Told(monitor.Tick(now), now);
                    break;
                case Act.Refuse:
                    monitor.Refused(step.Path, now);
                    model.Refused[step.Path] = now;
                    break;
                default:
                    monitor.Heard(step.Path, now, step.Act != Act.Old, step.Act != Act.NotHeard);
                    model.Heard(step.Path, step.Act, now);
                    break;
            }

            Assert.Equal(model.States(now), monitor.Sights.Select(s => s.State));
            Assert.All(monitor.Sights, sight => Assert.InRange(sight.SinceNs, 0, now));
            Assert.True(!monitor.DaemonIsGone || !new PathPicture(monitor.Sights, null, true).IsHeard);
        }

        // Whatever it was before: all is silent, all is lost, and the last word says so.
        string? last = model.LastEvent;
        for (int i = 0; i < 40; i++)
        {
            now += 50 * Ms;
            model.Pass(now);
            PathEvent? told = monitor.Tick(now);
            model.Told(told, now);
            last = told?.Kind ?? last;
        }

        Assert.All(monitor.Sights, sight => Assert.Equal(PathState.Lost, sight.State));
        Assert.Equal("peer-lost", last);
    }

    /// <summary>The rules again, as plainly as possible.</summary>
    private sealed class Model(long startNs)
    {
        private readonly long[] _heard = [-1, -1, -1];
        private readonly long[] _fresh = [-1, -1, -1];
        private readonly bool[] _peerHears = new bool[Paths];
        private readonly bool[] _wasLost = new bool[Paths];
        private long _since = startNs;
        private long _last = startNs;
        private long _lastEventNs = -1;

        public long[] Refused { get; } = [-1, -1, -1];

        public string? LastEvent { get; private set; }

        public void Pass(long now)
        {
            if (now - _last > s_times.DeadAfterNs)
            {
                _since = now;
                Array.Fill(_heard, -1);
                Array.Fill(_fresh, -1);
                Array.Fill(Refused, -1);
            }

            _last = now;
            States(now);
        }

        public void Heard(int path, Act act, long now)
        {
            _heard[path] = now;
            Refused[path] = -1;
            if (act != Act.Old)
            {
                _fresh[path] = now;
                _peerHears[path] = act == Act.Fresh;
            }
        }

        public void Told(PathEvent? told, long now)
        {
            if (told is null)
            {
                return;
            }

            // Two events are never closer than the time within which changes belong together.
            Assert.True(_lastEventNs < 0 || now - _lastEventNs >= s_times.SettleNs, "events too close");
            Assert.False(told.Kind == "peer-lost" && LastEvent == "peer-lost", "lost twice");
            Assert.False(told.Kind == "peer-back" && LastEvent is null, "back without having been lost");
            _lastEventNs = now;
            LastEvent = told.Kind;
        }

        public PathState[] States(long now)
        {
            var states = new PathState[Paths];
            for (int i = 0; i < Paths; i++)
            {
                long wait = Refused[i] >= 0 ? 200 * Ms : 500 * Ms;
                bool isHeard = _heard[i] >= 0 && now - _heard[i] < wait;
                bool isUp = isHeard && _peerHears[i] && _fresh[i] >= 0 && now - _fresh[i] < wait;
                states[i] = isUp ? PathState.Up : isHeard ? PathState.HeardOnly
                    : now - _since < 500 * Ms ? PathState.Unknown : PathState.Lost;
                if (states[i] == PathState.Lost)
                {
                    _fresh[i] = -1;
                }
            }

            return states;
        }
    }
}
