namespace MirrorD.Engine.Nbd;

/// <summary>
/// What waits to be sent: a <see cref="PendingRequest"/> that is done, or a <see cref="Piece"/> of a read.
/// </summary>
internal abstract class QueuedReply
{
    /// <summary>The one behind it in a <see cref="ReplyQueue"/>.</summary>
    public QueuedReply? Next { get; set; }
}
