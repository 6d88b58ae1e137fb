namespace MirrorD.Core.Handshake;

/// <summary>A side's part in the joining. Sent to the peer.</summary>
public enum HandshakePart : byte
{
    /// <summary>Nothing is joined.</summary>
    None = 0,
    /// <summary>Its data counts.</summary>
    Source = 1,
    /// <summary>Its copy is brought up to the source's.</summary>
    Target = 2,
}
