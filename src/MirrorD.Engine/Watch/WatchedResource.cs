using MirrorD.Core.Failover;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Engine.Watch;

/// <summary>One resource of the pair, as the watch remembers it.</summary>
internal sealed class WatchedResource(IWatchedResource resource)
{
    private PeerReport? _report;
    private int _pictureVersion = -1;
    private bool _reportChanged = true;
    private long _lastTickNs;
    private long _silentNs;

    public IWatchedResource Resource { get; } = resource;

    public ResourceHash Hash { get; } = ResourceHash.Of(resource.Name);

    /// <summary>What the heartbeats tell of it.</summary>
    public ResourceBeat Beat { get; private set; } = resource.Beat;

    /// <summary>Its loop has not ticked for dead-after.</summary>
    public bool IsStuck { get; private set; }

    /// <summary>Takes what the resource is now; true when that is something else.</summary>
    public bool TakeBeat()
    {
        ResourceBeat beat = Resource.Beat;
        bool isOther = !ReferenceEquals(beat, Beat) && beat != Beat;
        Beat = beat;
        return isOther;
    }

    /// <summary>
    /// Notices a loop that does not tick; true when <see cref="IsStuck"/> changed. Only time that the watch
    /// itself ran counts, so that a process which stood still does not find all its resources stuck.
    /// </summary>
    /// <param name="passedNs">Time since the last call in which the watch ran.</param>
    /// <param name="deadAfterNs">A loop that has not ticked for so long is stuck.</param>
    public bool NoticeStuck(long passedNs, long deadAfterNs)
    {
        long tickNs = Resource.LastTickNs;
        _silentNs = tickNs == _lastTickNs ? _silentNs + passedNs : 0;
        _lastTickNs = tickNs;

        // Zero: it has not begun; loading may take its time.
        bool isStuck = tickNs != 0 && _silentNs >= deadAfterNs;
        bool changed = isStuck != IsStuck;
        IsStuck = isStuck;
        return changed;
    }

    public HeartbeatEntry Entry => new()
    {
        Resource = Hash,
        Role = Beat.Role,
        DiskState = Beat.DiskState,
        IsServing = Beat.IsServing,
        IsStuck = IsStuck,
        HasProduction = Beat.HasProduction,
        IsDisconnected = Beat.IsDisconnected,
        Session = Beat.Session,
        Promotions = Beat.Promotions,
    };

    /// <summary>The peer's present run has told nothing of it, or it is not there.</summary>
    public void Forget()
    {
        _reportChanged |= _report is not null;
        _report = null;
    }

    /// <summary>The peer tells of it. What no decision reads is not kept, and its change is none.</summary>
    public void Hear(in HeartbeatEntry entry)
    {
        bool isSame = _report is { } known && known.Role == entry.Role && known.DiskState == entry.DiskState
            && known.Promotions == entry.Promotions && known.IsStuck == entry.IsStuck
            && known.HasProduction == entry.HasProduction && known.IsDisconnected == entry.IsDisconnected;
        if (!isSame)
        {
            _reportChanged = true;
            _report = new PeerReport(
                entry.Role, entry.DiskState, entry.Promotions, entry.IsStuck, entry.HasProduction, entry.IsDisconnected);
        }
    }

    /// <summary>Tells the resource what changed, if anything did.</summary>
    public void Publish(PathMonitor monitor)
    {
        if (_reportChanged || _pictureVersion != monitor.Version)
        {
            _reportChanged = false;
            _pictureVersion = monitor.Version;
            Resource.PathsChanged(new PathPicture(monitor.Sights, _report, monitor.DaemonIsGone)
            {
                WasHeardLately = monitor.WasHeardLately,
            });
        }
    }
}
