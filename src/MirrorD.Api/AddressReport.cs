namespace MirrorD.Api;

/// <summary>A service address.</summary>
public sealed record AddressReport
{
    /// <summary>With prefix length, e.g. 192.0.2.10/24.</summary>
    public required string Address { get; init; }

    /// <summary>Interface on this node.</summary>
    public required string Interface { get; init; }

    /// <summary>True while this node holds it.</summary>
    public required bool Held { get; init; }
}
