namespace MirrorD.Core.Handshake;

/// <summary>What happens after a handshake. Sent to the peer.</summary>
public enum HandshakeAction : byte
{
    /// <summary>Nothing to copy; J1–J6 follow.</summary>
    NoSync = 1,
    /// <summary>The union of both sync sets is copied.</summary>
    BitmapSync = 2,
    /// <summary>Everything is copied.</summary>
    FullSync = 3,
    /// <summary>
    /// The side that <see cref="HandshakePart.Target"/> names first fails its held requests and demotes; then
    /// both evaluate the table again.
    /// </summary>
    DemoteFirst = 4,
    /// <summary>Both histories went on: no data moves, the operator chooses what to discard.</summary>
    SplitBrain = 5,
    /// <summary>These two do not belong together: no connection.</summary>
    Refuse = 6,
    /// <summary>Stays apart until the operator decides.</summary>
    Operator = 7,
    /// <summary>
    /// Nothing is joined: the side that <see cref="HandshakePart.Target"/> names has no disk and goes on through the
    /// other one's.
    /// </summary>
    ServeDiskless = 8,
}
