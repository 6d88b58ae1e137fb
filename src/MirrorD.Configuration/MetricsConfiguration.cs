using System.Net;

namespace MirrorD.Configuration;

/// <summary>Where a node shows its metrics over TCP, to whoever asks, without TLS.</summary>
/// <param name="Address">Where to listen; it may be a wildcard.</param>
/// <param name="Port">TCP port.</param>
public sealed record MetricsConfiguration(IPAddress Address, int Port)
{
    /// <summary>The port where none is named.</summary>
    public const int DefaultPort = 7778;
}
