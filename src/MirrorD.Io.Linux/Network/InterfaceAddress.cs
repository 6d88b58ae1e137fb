using System.Net;

namespace MirrorD.Io.Linux.Network;

/// <summary>An IP address that a network interface of this host has.</summary>
/// <param name="Interface">Name of the interface.</param>
/// <param name="Address">The address, v4 or v6.</param>
/// <param name="PrefixLengthBits">Length of the network part; 32 or 128 for the address alone.</param>
public sealed record InterfaceAddress(string Interface, IPAddress Address, int PrefixLengthBits)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{PrefixLengthBits} on {Interface}";
}
