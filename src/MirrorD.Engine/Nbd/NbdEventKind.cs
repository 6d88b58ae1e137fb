namespace MirrorD.Engine.Nbd;

/// <summary>Kinds of <see cref="NbdEvent"/>.</summary>
public enum NbdEventKind
{
    /// <summary>A client opened an export.</summary>
    Opened,
    /// <summary>A client that had opened an export left in order, or was told to.</summary>
    Closed,
    /// <summary>A client vanished in the middle of something, or its connection failed.</summary>
    Lost,
    /// <summary>A client broke the protocol; its connection was closed.</summary>
    Violation,
    /// <summary>A client was turned away: no such export, not available, too many connections.</summary>
    Refused,
    /// <summary>Connections can't be accepted at the moment; it is tried again.</summary>
    AcceptFailed,
}
