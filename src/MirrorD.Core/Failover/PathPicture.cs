using MirrorD.Formats;

namespace MirrorD.Core.Failover;

/// <summary>What a network is for.</summary>
public enum PathKind
{
    /// <summary>Between the nodes.</summary>
    Dedicated,
    /// <summary>That of the clients.</summary>
    Production,
}

/// <summary>How one network carries heartbeats between the two nodes.</summary>
public enum PathState
{
    /// <summary>Too early to say: watched for less than dead-after, or this process stood still.</summary>
    Unknown,
    /// <summary>Each side says that it hears the other.</summary>
    Up,
    /// <summary>
    /// The peer is heard, and does not hear this node: it lives, and can't be asked anything here.
    /// </summary>
    HeardOnly,
    /// <summary>No authenticated heartbeat for dead-after.</summary>
    Lost,
}

/// <summary>One path as this node sees it.</summary>
/// <param name="Name">As told to operators, e.g. "dedicated 10.0.0.1".</param>
/// <param name="Kind">What the network is for.</param>
/// <param name="State">See <see cref="PathState"/>.</param>
/// <param name="SinceNs">Loop time at which the state began.</param>
public sealed record PathSight(string Name, PathKind Kind, PathState State, long SinceNs);

/// <summary>What the peer's last heartbeats told of one resource.</summary>
/// <param name="Role">Its role.</param>
/// <param name="DiskState">State of its copy.</param>
/// <param name="Promotions">Its promotion counter.</param>
/// <param name="IsStuck">Its loop or its requests have not moved for longer than dead-after.</param>
/// <param name="HasProduction">Its production gateway answers; asked only while that network is lost.</param>
/// <param name="IsDisconnected">An operator has disconnected it: it does not take up the link.</param>
public sealed record PeerReport(
    Role Role, DiskState DiskState, ulong Promotions, bool IsStuck, bool HasProduction = false, bool IsDisconnected = false);

/// <summary>
/// All paths to the peer of a resource at one moment: made anew at each change and never changed. It is asked for each
/// request: an enumerator of the list would be an object each time.
/// </summary>
/// <param name="Paths">Every configured path, at least one.</param>
/// <param name="Report">What the peer told last in its present run; null before the first heartbeat.</param>
/// <param name="DaemonIsGone">
/// The peer's host answers that nobody listens: its daemon is gone, the host lives.
/// </param>
public sealed record PathPicture(IReadOnlyList<PathSight> Paths, PeerReport? Report, bool DaemonIsGone)
{
    /// <summary>
    /// Something was heard on some path within dead-after. Refusals make paths lost sooner; until this is
    /// over, a daemon that ended may be back in time.
    /// </summary>
    public bool WasHeardLately { get; init; }

    /// <summary>A request could reach the peer and its answer this node.</summary>
    public bool IsAnyUp => Any(PathState.Up);

    /// <summary>The peer is heard on some path, in whichever way.</summary>
    public bool IsHeard => Any(PathState.Up) || Any(PathState.HeardOnly);

    /// <summary>There is a production network, and on none the peer is heard.</summary>
    public bool IsProductionLost
    {
        get
        {
            bool isThere = false;
            for (int i = 0; i < Paths.Count; i++)
            {
                PathSight path = Paths[i];
                isThere |= path.Kind == PathKind.Production;
                if (path is { Kind: PathKind.Production, State: not PathState.Lost })
                {
                    return false;
                }
            }

            return isThere;
        }
    }

    /// <summary>Every path is lost: none is merely not known yet.</summary>
    public bool AreAllLost
    {
        get
        {
            for (int i = 0; i < Paths.Count; i++)
            {
                PathSight path = Paths[i];
                if (path.State != PathState.Lost)
                {
                    return false;
                }
            }

            return Paths.Count > 0;
        }
    }

    /// <summary>Every path is up.</summary>
    public bool AreAllUp
    {
        get
        {
            for (int i = 0; i < Paths.Count; i++)
            {
                if (Paths[i].State != PathState.Up)
                {
                    return false;
                }
            }

            return true;
        }
    }

    private bool Any(PathState state)
    {
        for (int i = 0; i < Paths.Count; i++)
        {
            if (Paths[i].State == state)
            {
                return true;
            }
        }

        return false;
    }
}
