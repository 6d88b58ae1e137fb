using MirrorD.Core.Failover;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Engine.Tests.Watch;

/// <summary>A resource that remembers what the watch told it.</summary>
internal sealed class WatchedDouble(string name) : IWatchedResource
{
    public string Name => name;

    public ResourceBeat Beat { get; set; } =
        new(Role.Standby, DiskState.UpToDate, new SessionId(1), 0, IsServing: false);

    public long LastTickNs { get; set; }

    /// <summary>The only machine that is its peer; null: any.</summary>
    public NodeId? Peer { get; set; }

    public bool IsPeer(NodeId node) => Peer is null || Peer == node;

    public List<PathPicture> Pictures { get; } = [];

    public List<ControlMessage> Messages { get; } = [];

    public List<bool> Stuck { get; } = [];

    public PathPicture Picture => Pictures[^1];

    /// <summary>What to do with a message besides remembering it.</summary>
    public Action<ControlMessage>? Answer { get; set; }

    public void PathsChanged(PathPicture picture) => Pictures.Add(picture);

    public void ControlArrived(ControlMessage message)
    {
        Messages.Add(message);
        Answer?.Invoke(message);
    }

    public void StuckChanged(bool isStuck) => Stuck.Add(isStuck);
}
