namespace MirrorD.Core.Handshake;

/// <summary>What one side says about one volume in a handshake.</summary>
/// <param name="DataBytes">Size of the mirrored data.</param>
/// <param name="Sequence">Sequence of this side's superblock.</param>
/// <param name="PeerSequence">Highest superblock sequence that this side has seen of the other.</param>
public readonly record struct VolumeFacts(long DataBytes, ulong Sequence, ulong PeerSequence)
{
    /// <summary>
    /// The largest size that this side's disk and the place of its metadata allow now; 0 when it has no more than
    /// <see cref="DataBytes"/>.
    /// </summary>
    public long RoomBytes { get; init; }

    /// <summary>The size that an operator has asked this side for; 0 when none.</summary>
    public long WantedBytes { get; init; }

    /// <summary>What this side can hold.</summary>
    public long MostBytes => Math.Max(DataBytes, RoomBytes);
}
