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
    /// <summary>Makes a piece.</summary>
    /// <param name="completed">Called when the volume has done it; the state of the request is the
    /// piece.</param>
    public Piece(Action<IoRequest> completed) => Io = new IoRequest(completed, this);

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
}
