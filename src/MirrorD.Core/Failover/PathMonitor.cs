namespace MirrorD.Core.Failover;

/// <summary>
/// Which paths to one peer carry heartbeats, from when they came. Pure: time arrives with each call, and
/// nothing is allocated unless a state changes. States of a path (<see cref="PathState"/>):
/// <code>
/// Unknown ─┬─ fresh heartbeat that says "I hear you" ────────▶ Up
///          ├─ any other heartbeat ─────────────────────────▶ HeardOnly
///          └─ dead-after has passed since the watch began ─▶ Lost
/// Up, HeardOnly, Lost ── as above; Lost after dead-after of silence, or after two intervals of silence
///     where the far end answered that nobody listens; Unknown when this process stood still
/// </code>
/// A state shows at once in <see cref="Sights"/>; events wait until it has settled (<see cref="Tick"/>).
/// </summary>
public sealed partial class PathMonitor
{
    private readonly string _peer;
    private readonly PathTimes _times;
    private readonly Path[] _paths;
    private long _watchedSinceNs;
    private long _lastCallNs;

    // Watched for less than dead-after: too early to call silence a loss.
    private bool _isYoung;

    /// <summary>Begins to watch: nothing is known yet.</summary>
    /// <param name="peer">Name of the peer node, for messages.</param>
    /// <param name="paths">At least one.</param>
    /// <param name="times">Times.</param>
    /// <param name="nowNs">Loop time.</param>
    public PathMonitor(
        string peer, IReadOnlyList<(string Name, PathKind Kind)> paths, PathTimes times, long nowNs)
    {
        Invariant.Require(paths.Count > 0, "there is a path to each peer");
        Invariant.Require(times.DeadAfterNs > times.IntervalNs && times.IntervalNs > 0,
            "dead-after is longer than an interval");
        _peer = peer;
        _times = times;
        _paths = [.. paths.Select(path => new Path(path.Name, path.Kind))];
        Begin(nowNs);
        Sights = [];
        Refresh(nowNs);
    }

    /// <summary>All paths, in their order: a list that is replaced at each change.</summary>
    public IReadOnlyList<PathSight> Sights { get; private set; }

    /// <summary>
    /// The peer's host answers that nobody listens, and nothing is heard of the peer on any path.
    /// </summary>
    public bool DaemonIsGone { get; private set; }

    /// <summary>
    /// The peer was heard on some path within dead-after: a daemon of it that ended may still be back in
    /// time, however soon its paths were lost.
    /// </summary>
    public bool WasHeardLately { get; private set; }

    /// <summary>
    /// Counts the changes of <see cref="Sights"/>, <see cref="DaemonIsGone"/> and
    /// <see cref="WasHeardLately"/>.
    /// </summary>
    public int Version { get; private set; }

    /// <summary>
    /// To be called before anything that arrived is looked at. True when this process stood still for longer
    /// than dead-after: then every path is Unknown again, as what it says may be old.
    /// </summary>
    public bool StoodStill(long nowNs)
    {
        bool stoodStill = nowNs - _lastCallNs > _times.DeadAfterNs;
        if (stoodStill)
        {
            Begin(nowNs);
            Refresh(nowNs);
        }

        _lastCallNs = nowNs;
        return stoodStill;
    }

    /// <summary>A heartbeat came that is not stale.</summary>
    /// <param name="path">Number of the path.</param>
    /// <param name="nowNs">Loop time.</param>
    /// <param name="isFresh">It answers this run of this process (<see cref="Hearing.Fresh"/>).</param>
    /// <param name="peerHears">It says that the peer hears this node over this path.</param>
    public void Heard(int path, long nowNs, bool isFresh, bool peerHears)
    {
        StoodStill(nowNs);
        Path heard = _paths[path];
        heard.HeardNs = nowNs;
        heard.IsRefused = false;
        if (isFresh)
        {
            heard.FreshNs = nowNs;
            heard.RunHeardNs = nowNs;
            heard.PeerHears = peerHears;
        }

        Refresh(nowNs);
    }

    /// <summary>The peer's host answered that nobody listens at the far end of the path.</summary>
    public void Refused(int path, long nowNs)
    {
        StoodStill(nowNs);
        _paths[path].IsRefused = true;
        _paths[path].RefusedNs = nowNs;
        Refresh(nowNs);
    }

    /// <summary>
    /// The peer's present run was heard freshly over this path within dead-after: what the own heartbeats
    /// there tell it.
    /// </summary>
    public bool HearsFreshly(int path, long nowNs) =>
        Within(_paths[path].RunHeardNs, nowNs, _times.DeadAfterNs);

    /// <summary>Another run of the peer is there: it has not been heard on any path yet.</summary>
    public void PeerRestarted()
    {
        foreach (Path path in _paths)
        {
            path.RunHeardNs = null;
        }
    }

    private void Begin(long nowNs)
    {
        _watchedSinceNs = nowNs;
        _lastCallNs = nowNs;
        foreach (Path path in _paths)
        {
            path.HeardNs = null;
            path.FreshNs = null;
            path.RunHeardNs = null;
            path.IsRefused = false;
        }
    }

    private void Refresh(long nowNs)
    {
        _isYoung = nowNs - _watchedSinceNs < _times.DeadAfterNs;
        bool changed = Sights.Count == 0;
        bool isHeard = false;
        bool isRefused = false;
        bool wasHeardLately = false;
        foreach (Path path in _paths)
        {
            PathState state = StateOf(path, nowNs);
            if (state != path.State || changed)
            {
                changed = true;
                path.SinceNs = state == path.State ? path.SinceNs ?? nowNs : nowNs;
                path.State = state;
                if (state == PathState.Lost)
                {
                    // What made it Up before was said by a peer that may have ended since.
                    path.FreshNs = null;
                }
            }

            isHeard |= state is PathState.Up or PathState.HeardOnly;
            wasHeardLately |= Within(path.HeardNs, nowNs, _times.DeadAfterNs);
            isRefused |= path.IsRefused && nowNs - path.RefusedNs <= _times.RefusalHoldsNs;
        }

        bool isGone = isRefused && !isHeard;
        if (changed)
        {
            Sights =
            [
                .. _paths.Select(path =>
                    new PathSight(path.Name, path.Kind, path.State, path.SinceNs!.Value)),
            ];
        }

        if (changed || isGone != DaemonIsGone || wasHeardLately != WasHeardLately)
        {
            DaemonIsGone = isGone;
            WasHeardLately = wasHeardLately;
            Version++;
        }
    }

    private PathState StateOf(Path path, long nowNs)
    {
        long waitNs = path.IsRefused ? _times.RefusedWaitNs : _times.DeadAfterNs;
        if (Within(path.HeardNs, nowNs, waitNs))
        {
            return path.PeerHears && Within(path.FreshNs, nowNs, waitNs) ? PathState.Up : PathState.HeardOnly;
        }

        return _isYoung ? PathState.Unknown : PathState.Lost;
    }

    private static bool Within(long? thenNs, long nowNs, long waitNs) =>
        thenNs is { } then && nowNs - then < waitNs;

    private sealed class Path(string name, PathKind kind)
    {
        public string Name => name;

        public PathKind Kind => kind;

        public PathState State { get; set; }

        public long? SinceNs { get; set; }

        public long? HeardNs { get; set; }

        public long? FreshNs { get; set; }

        /// <summary>As <see cref="FreshNs"/>, of the peer's present run only.</summary>
        public long? RunHeardNs { get; set; }

        public bool PeerHears { get; set; }

        /// <summary>The far end refused since the last heartbeat.</summary>
        public bool IsRefused { get; set; }

        public long RefusedNs { get; set; }

        /// <summary>What was told last; Unknown before anything was.</summary>
        public PathState Told { get; set; }
    }
}
