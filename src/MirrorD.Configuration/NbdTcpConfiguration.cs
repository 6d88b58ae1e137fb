using System.Net;

namespace MirrorD.Configuration;

/// <summary>The NBD exports of a resource over TCP, for clients with certificates of this cluster.</summary>
/// <param name="Address">Where to listen; it may be one that comes with the role, or a wildcard.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Allow">Names of the clients that may; never empty.</param>
public sealed record NbdTcpConfiguration(IPAddress Address, int Port, IReadOnlySet<string> Allow)
{
    /// <summary>The port of NBD (IANA).</summary>
    public const int DefaultPort = 10809;
}
