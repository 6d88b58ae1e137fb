namespace MirrorD.Configuration;

/// <summary>What a primary does when the peer is lost and there is neither goodbye nor arbiter.</summary>
public enum PeerLossPolicy
{
    /// <summary>Hold requests until peer, arbiter or operator decides.</summary>
    Freeze,
    /// <summary>Go on alone; both sides may then diverge.</summary>
    Continue,
    /// <summary>
    /// Go on alone only with the carrier of the production network up and its gateway answering; else hold
    /// requests and drop the service addresses. Without a configured gateway the same as
    /// <see cref="Freeze"/>.
    /// </summary>
    Auto,
}
