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
    /// of the pool) is kept back from sessions that hold this many already. Servers that share a pool need
    /// that many slots each.
    /// </summary>
    public int GuaranteedSlotsPerSession { get; init; } = 1;

    /// <summary>
    /// Time from the connection to the end of the handshake, in nanoseconds; then it is closed.
    /// </summary>
    public long HandshakeTimeoutNs { get; init; } = 30_000_000_000;
}
