namespace MirrorD.Core.Failover;

/// <summary>
/// What is told of the paths: one event for all changes within two intervals of the first, and none for a
/// path that is by then what it was before. Unknown is no change: nobody knows better than what was told
/// last.
/// </summary>
public sealed partial class PathMonitor
{
    private long? _settlesNs;
    private bool _toldAllLost;

    /// <summary>Time passes. Returns an event when changes have settled, else null.</summary>
    public PathEvent? Tick(long nowNs)
    {
        StoodStill(nowNs);
        Refresh(nowNs);
        if (!HasNews())
        {
            _settlesNs = nowNs < _settlesNs ? _settlesNs : null;
            return null;
        }

        _settlesNs ??= nowNs + _times.SettleNs;
        if (nowNs < _settlesNs)
        {
            return null;
        }

        _settlesNs = null;
        return Tell();
    }

    private bool HasNews()
    {
        foreach (Path path in _paths)
        {
            if (path.Told == PathState.Unknown && path.State == PathState.Up)
            {
                // As it should be.
                path.Told = PathState.Up;
            }

            if (IsNews(path))
            {
                return true;
            }
        }

        return _toldAllLost ? IsAnyHeard() : AreAllLost();
    }

    /// <summary>
    /// A path that can be heard again, but only one way, is not restored; and each begin is one-way for a
    /// moment.
    /// </summary>
    private bool IsNews(Path path) => path.State != PathState.Unknown && path.State != path.Told
        && (path.State != PathState.HeardOnly || (path.Told != PathState.Lost && !_isYoung));

    private bool IsAnyHeard()
    {
        foreach (Path path in _paths)
        {
            if (path.State is PathState.Up or PathState.HeardOnly)
            {
                return true;
            }
        }

        return false;
    }

    private bool AreAllLost()
    {
        foreach (Path path in _paths)
        {
            if (path.State != PathState.Lost)
            {
                return false;
            }
        }

        return true;
    }

    private PathEvent Tell()
    {
        bool areAllLost = AreAllLost();
        bool isBack = _toldAllLost && IsAnyHeard();
        bool hasWorse = _paths.Any(path => IsNews(path) && path.State != PathState.Up);
        PathEvent told = areAllLost ? new PathEvent("peer-lost", DescribeAllLost())
            : isBack ? new PathEvent("peer-back", $"{_peer} is heard again: {DescribePaths()}.")
            : hasWorse ? new PathEvent("path-lost", $"A path to {_peer} is disturbed: {DescribePaths()}.")
            : new PathEvent("path-restored", $"A path to {_peer} is up again: {DescribePaths()}.");
        _toldAllLost = areAllLost || (_toldAllLost && !isBack);
        foreach (Path path in _paths)
        {
            path.Told = IsNews(path) ? path.State : path.Told;
        }

        return told;
    }

    private string DescribeAllLost()
    {
        string names = string.Join(", ", _paths.Select(path => path.Name));
        string gone = DaemonIsGone ? "; its host answers, so its mirrord seems to be gone" : "";
        return $"{_peer} is not heard over any path ({names}){gone}.";
    }

    private string DescribePaths() => string.Join("; ", _paths.Select(path => path.Name + path.State switch
    {
        PathState.Up => " is up",
        PathState.HeardOnly => $" is one-way ({_peer} is heard and does not hear this node)",
        PathState.Lost => " is lost",
        PathState.Unknown => " is not known yet",
    }));
}
