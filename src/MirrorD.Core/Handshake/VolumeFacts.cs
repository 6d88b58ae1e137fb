namespace MirrorD.Core.Handshake;

/// <summary>What one side says about one volume in a handshake.</summary>
/// <param name="DataBytes">Size of the mirrored data.</param>
/// <param name="Sequence">Sequence of this side's superblock.</param>
/// <param name="PeerSequence">Highest superblock sequence that this side has seen of the other.</param>
public readonly record struct VolumeFacts(long DataBytes, ulong Sequence, ulong PeerSequence);
