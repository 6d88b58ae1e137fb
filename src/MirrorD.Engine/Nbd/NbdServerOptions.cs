namespace MirrorD.Engine.Nbd;

/// <summary>Limits of an <see cref="NbdServer"/>. The defaults suit one socket per volume.</summary>
public sealed record NbdServerOptions
{
    /// <summary>
    /// Connections at a time, those that still finish their requests included. More are closed as they come,
    /// so that clients see a refusal and memory stays bounded.
    /// </summary>
    public int MaxSessions { get; init; } = 16;

    /// <summary>Requests of one session in flight. More stay in the socket until one was answered.</summary>
    public int MaxRequestsPerSession { get; init; } = 128;

    /// <summary>
    /// Slots that one session may hold at most, so that a long queue of one client stays short.
    /// </summary>
    public int MaxSlotsPerSession { get; init; } = 64;

    /// <summary>
    /// Slots that every session can always get in the end. <see cref="MaxSessions"/> times this (at most half
    /// of the pool) is kept back from sessions that hold this many already.
    /// </summary>
    public int GuaranteedSlotsPerSession { get; init; } = 1;

    /// <summary>
    /// Connections that servers of the same pool may have beside this one's: a slot is kept back for each of them, too.
    /// </summary>
    public int NeighbourSessions { get; init; }

    /// <summary>
    /// Time from the connection to the end of the handshake, in nanoseconds; then it is closed.
    /// </summary>
    public long HandshakeTimeoutNs { get; init; } = 30_000_000_000;

    /// <summary>
    /// With TLS: connections at a time that have not shown who they are. One more gets the place of another one.
    /// </summary>
    public int MaxStrangers { get; init; } = 64;

    /// <summary>With TLS: time from the connection until the client is known, in nanoseconds.</summary>
    public long StrangerTimeoutNs { get; init; } = 5_000_000_000;
}
