using System.Net;

namespace MirrorD.Configuration;

/// <summary>A resource as one node of its pair has it.</summary>
/// <param name="Link">Where this node's end of the link listens.</param>
/// <param name="Volumes">Volumes in order; equal names on both nodes.</param>
/// <param name="Addresses">Service addresses that the Primary holds.</param>
public sealed record ResourceOnNode(
    NetworkConfiguration Link,
    IReadOnlyList<VolumeConfiguration> Volumes,
    IReadOnlyList<ServiceAddressConfiguration> Addresses);

/// <summary>A volume's backing on one node.</summary>
/// <param name="Name">Volume name.</param>
/// <param name="Path">Block device or preallocated file.</param>
/// <param name="IsFile">True for a file.</param>
/// <param name="MetadataPath">
/// Device or file of the metadata; null when it lives at the end of <paramref name="Path"/>.
/// </param>
public sealed record VolumeConfiguration(string Name, string Path, bool IsFile, string? MetadataPath);

/// <summary>A service address on one node.</summary>
/// <param name="Address">The address, IPv4 or IPv6.</param>
/// <param name="PrefixLength">Bits of its network, 1 to 32 or 1 to 128.</param>
/// <param name="Interface">The interface that gets it on this node.</param>
public sealed record ServiceAddressConfiguration(IPAddress Address, int PrefixLength, string Interface)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{PrefixLength} on {Interface}";
}
