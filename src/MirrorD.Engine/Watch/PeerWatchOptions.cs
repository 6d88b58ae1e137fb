using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Watch;

/// <summary>What the watch over one peer needs.</summary>
public sealed record PeerWatchOptions
{
    /// <summary>Name of this node.</summary>
    public required string NodeName { get; init; }

    /// <summary>Stable id of this node.</summary>
    public required NodeId Node { get; init; }

    /// <summary>This run of the host.</summary>
    public required BootId Boot { get; init; }

    /// <summary>Name of the peer node.</summary>
    public required string PeerName { get; init; }

    /// <summary>The cluster key, 32 bytes.</summary>
    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>Another cluster key that the peer may use; null when keys are not being exchanged.</summary>
    public byte[]? AcceptedKey { get; init; }

    /// <summary>Networks to the peer, at least one; the same on both nodes.</summary>
    public required IReadOnlyList<WatchPath> Paths { get; init; }

    /// <summary>Between two heartbeats, in milliseconds.</summary>
    public required int IntervalMs { get; init; }

    /// <summary>
    /// A path without a heartbeat for so long is lost, in milliseconds; more than an interval.
    /// </summary>
    public required int DeadAfterMs { get; init; }

    /// <summary>
    /// Identifiers that have never been used, not zero: random in production, seeded in simulation.
    /// </summary>
    public required Func<ulong> NewIdentifier { get; init; }

    /// <summary>
    /// Something happened, on the loop's thread: to the resource of that name, or, with null, to the paths to
    /// the peer. Must not block.
    /// </summary>
    public required Action<string?, ResourceEvent> Raise { get; init; }

    /// <summary>A path changed, on the loop's thread; also what is no event. Must not block.</summary>
    public Action? Changed { get; init; }

    internal PathTimes Times => new(IntervalMs * 1_000_000L, DeadAfterMs * 1_000_000L);
}
