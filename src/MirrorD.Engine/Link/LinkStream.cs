using MirrorD.Io;

namespace MirrorD.Engine.Link;

/// <summary>
/// The bytes of one connection to the peer, whether they are encrypted or not: operations are as those of <see
/// cref="IIoLoop"/>.
/// </summary>
internal abstract class LinkStream : IDisposable
{
    /// <summary>Bytes are secret and authentic: what is said needs no tag of its own.</summary>
    public abstract bool IsEncrypted { get; }

    /// <summary>Why an operation failed with EBADMSG.</summary>
    public virtual string Problem => "what arrived was changed on its way";

    /// <summary>As <see cref="IIoLoop.Receive(IConnection, BufferSlice, int, IoOperation)"/>.</summary>
    public abstract void Receive(BufferSlice into, int minimumBytes, IoOperation operation);

    /// <summary>As <see cref="IIoLoop.Send(IConnection, BufferSlice, IoOperation)"/>.</summary>
    public abstract void Send(BufferSlice from, IoOperation operation);

    /// <summary>Closes the connection: what is pending ends soon.</summary>
    public abstract void Close();

    /// <summary>Frees memory and keys. The connection is closed and nothing is pending.</summary>
    public abstract void Dispose();

    /// <summary>
    /// The same connection without encryption from the next byte on, in both directions; this object is of no use any more.
    /// Nothing is pending.
    /// </summary>
    public virtual LinkStream Unsealed() => this;

    /// <summary>What goes on over a connection after its handshake.</summary>
    public static LinkStream Of(IIoLoop loop, IConnection connection, SecuredLink secured) => secured.Records is { } records
        ? new SealedStream(loop, connection, records, secured.Early)
        : new PlainStream(loop, connection, secured.Early);
}
