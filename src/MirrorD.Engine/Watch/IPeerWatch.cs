using MirrorD.Core.Failover;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Engine.Watch;

/// <summary>
/// What heartbeats tell of one resource of this node: made anew by the resource's loop at each change, never
/// changed, and read by the watch's thread.
/// </summary>
/// <param name="Role">Present role.</param>
/// <param name="DiskState">State of this copy.</param>
/// <param name="Session">Stored session.</param>
/// <param name="Promotions">Promotion counter.</param>
/// <param name="IsServing">Primary, and requests are completed: not frozen, not failed.</param>
/// <param name="HasProduction">The production gateway answers; asked only while that network is lost.</param>
/// <param name="IsDisconnected">An operator has disconnected this node.</param>
public sealed record ResourceBeat(
    Role Role, DiskState DiskState, SessionId Session, ulong Promotions, bool IsServing,
    bool HasProduction = false, bool IsDisconnected = false);

/// <summary>A resource as the watch sees it.</summary>
public interface IWatchedResource
{
    /// <summary>Resource name.</summary>
    string Name { get; }

    /// <summary>The latest picture; any thread.</summary>
    ResourceBeat Beat { get; }

    /// <summary>
    /// Loop time of the last tick of the resource's loop; any thread. An old one means a stuck loop; zero
    /// that there are no ticks, as it has not begun or was stopped.
    /// </summary>
    long LastTickNs { get; }

    /// <summary>
    /// This machine is the resource's peer, or there was none yet; any thread. What others say in the peer's name is not heard.
    /// </summary>
    bool IsPeer(NodeId node) => true;

    /// <summary>The paths to its peer changed, or what the peer tells; any thread, returns at once.</summary>
    void PathsChanged(PathPicture picture);

    /// <summary>
    /// An authenticated control message of the peer arrived, over any path, perhaps repeated; any thread,
    /// returns at once. An answer goes out through <see cref="IPeerWatch.Send"/>.
    /// </summary>
    void ControlArrived(ControlMessage message);

    /// <summary>
    /// The resource's loop has not ticked for dead-after, or ticks again; any thread, returns at once, and
    /// does not rely on the resource's loop.
    /// </summary>
    void StuckChanged(bool isStuck);
}

/// <summary>The watch over one peer, as its resources use it.</summary>
public interface IPeerWatch
{
    /// <summary>
    /// Any thread: sends the message over every path, at once, without waiting for anything.
    /// </summary>
    void Send(string resource, ControlMessage message);
}
