namespace MirrorD.Lab.Networks;

/// <summary>
/// Bytes that the dedicated link has carried: Ethernet frames as the interfaces count them.
/// </summary>
/// <param name="FromA">Sent by a.</param>
/// <param name="FromB">Sent by b.</param>
public readonly record struct LinkBytes(long FromA, long FromB)
{
    /// <summary>Both directions.</summary>
    public long Both => FromA + FromB;

    /// <summary>What was carried since an earlier reading.</summary>
    public LinkBytes Since(LinkBytes earlier) => new(FromA - earlier.FromA, FromB - earlier.FromB);
}
