using MirrorD.Core;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>Where a <see cref="Piece"/> is.</summary>
internal enum PieceState
{
    /// <summary>Not in use.</summary>
    Free,
    /// <summary>A write whose data is still being received.</summary>
    Filling,
    /// <summary>Submitted to the volume.</summary>
    InVolume,
    /// <summary>A read that waits to be sent.</summary>
    Ready,
    /// <summary>Its slot is being sent from.</summary>
    Sending,
}

/// <summary>
/// At most one slot's worth of a request, with the volume request that carries it. Reused by its session.
/// </summary>
internal sealed class Piece : QueuedReply
{
    /// <summary>Makes a piece; the state of its volume request is the piece itself.</summary>
    public Piece() => Io = new IoRequest(static io =>
    {
        var piece = (Piece)io.State!;
        piece.Session.OnVolumeDone(piece);
    }, this);

    /// <summary>Whose it is now.</summary>
    public NbdSession Session { get; private set; } = null!;

    /// <summary>What the volume gets.</summary>
    public IoRequest Io { get; }

    /// <summary>Where it is.</summary>
    public PieceState State { get; set; }

    /// <summary>The request that it is a part of.</summary>
    public PendingRequest Request { get; set; } = null!;

    /// <summary>Its memory; null where a request has no data.</summary>
    public IoBuffer? Slot { get; set; }

    /// <summary>The piece of the same request that comes after it.</summary>
    public Piece? NextInRequest { get; set; }

    /// <summary>Its chunk is the last one of the reply.</summary>
    public bool EndsReply { get; set; }

    /// <summary>Bytes of data.</summary>
    public int DataBytes => Io.Data.LengthBytes;

    /// <summary>Makes it a free piece of a session. It must be free already, or new.</summary>
    public void Reset(NbdSession session)
    {
        Invariant.Require(State == PieceState.Free && Slot is null, "a piece changes hands when it is free");
        Session = session;
        Request = null!;
        Next = null;
        NextInRequest = null;
    }
}
