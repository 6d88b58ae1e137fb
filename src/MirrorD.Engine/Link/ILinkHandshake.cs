using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Link;

/// <summary>
/// The first bytes of a connection, from both sides in turn, until each knows who the other one is. Whoever carries it out
/// bounds it in time and bytes. Used by one thread at a time.
/// </summary>
public interface ILinkHandshake : IDisposable
{
    /// <summary>
    /// Takes what has arrived, and finds out what is next. The work may be done on another thread; while it is under
    /// way nothing else of this object is used.
    /// </summary>
    /// <param name="received">What arrived since the last step; empty in the connector's first one. Unchanged until the
    /// end.</param>
    /// <param name="done">Called on the loop's thread, once, after this call has returned.</param>
    void Step(BufferSlice received, Action done);

    /// <summary>The connection is given up: a step that has not begun need not be done. It ends all the same.</summary>
    void GiveUp();

    /// <summary>What is to be sent after the last step; may be empty.</summary>
    ReadOnlySpan<byte> ToSend { get; }

    /// <summary>Why the other side is refused; null as long as it is not.</summary>
    string? Problem { get; }

    /// <summary>What came of it, once nothing more is to be received (perhaps from the beginning); null before.</summary>
    SecuredLink? Secured { get; }
}

/// <summary>A connection whose other end is known.</summary>
/// <param name="Secret">32 bytes that both ends have and nobody else, of this connection only.</param>
/// <param name="Peer">The node at the other end; null where the handshake does not say.</param>
/// <param name="Records">What encrypts from here on; null where nothing can.</param>
/// <param name="Early">Bytes that arrived after those of the handshake.</param>
public sealed record SecuredLink(
    ReadOnlyMemory<byte> Secret, NodeId? Peer, IRecordLayer? Records, ReadOnlyMemory<byte> Early)
{
    /// <summary>Name of a client at the other end; empty where it is a node, or the handshake does not say.</summary>
    public string Name { get; init; } = "";

    /// <summary>Hash of the key that the client has shown; empty as above.</summary>
    public string KeyHash { get; init; } = "";
}
