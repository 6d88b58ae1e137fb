namespace MirrorD.Core.Handshake;

/// <summary>
/// What one side concluded from a handshake. Each side sends its own; anything but the mirror image is
/// refused.
/// </summary>
/// <param name="Case">The row or rule that decided.</param>
/// <param name="Action">What happens.</param>
/// <param name="SelfIs">
/// This side's part. With <see cref="HandshakeAction.DemoteFirst"/> the Target is the side that demotes.
/// </param>
public readonly record struct HandshakeDecision(
    HandshakeCase Case, HandshakeAction Action, HandshakePart SelfIs)
{
    /// <summary>Joining goes on from here.</summary>
    public bool Joins =>
        Action is HandshakeAction.NoSync or HandshakeAction.BitmapSync or HandshakeAction.FullSync;

    /// <summary>It ends a split brain: what only the target has is given up.</summary>
    public bool EndsSplit => Case is HandshakeCase.SplitBrainResolved or HandshakeCase.SplitBrainByPolicy;

    /// <summary>What the other side must have concluded.</summary>
    public HandshakeDecision Mirrored => new(Mirror(Case), Action, Mirror(SelfIs));

    /// <summary>
    /// Its own, because the generated one would print the mirror image of the mirror image and so on.
    /// </summary>
    public override string ToString() => $"{Case}, {Action}, this side is {SelfIs}";

    /// <summary>The same situation seen from the other side.</summary>
    public static HandshakeCase Mirror(HandshakeCase seen) => seen switch
    {
        HandshakeCase.PeerNew => HandshakeCase.SelfNew,
        HandshakeCase.SelfNew => HandshakeCase.PeerNew,
        HandshakeCase.PeerAhead => HandshakeCase.SelfAhead,
        HandshakeCase.SelfAhead => HandshakeCase.PeerAhead,
        HandshakeCase.PeerFarAhead => HandshakeCase.SelfFarAhead,
        HandshakeCase.SelfFarAhead => HandshakeCase.PeerFarAhead,
        _ => seen,
    };

    private static HandshakePart Mirror(HandshakePart part) => part switch
    {
        HandshakePart.Source => HandshakePart.Target,
        HandshakePart.Target => HandshakePart.Source,
        HandshakePart.None => HandshakePart.None,
    };
}
