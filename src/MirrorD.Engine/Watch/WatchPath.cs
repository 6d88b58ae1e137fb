using MirrorD.Core.Failover;
using MirrorD.Io;

namespace MirrorD.Engine.Watch;

/// <summary>One network that both nodes have.</summary>
/// <param name="Name">As told to operators, e.g. "dedicated 10.0.0.1".</param>
/// <param name="Kind">What the network is for.</param>
/// <param name="Place">Its place among the networks of its kind, from 0; the same on both nodes.</param>
/// <param name="Endpoint">Both ends.</param>
public sealed record WatchPath(string Name, PathKind Kind, int Place, UdpEndpoint Endpoint)
{
    /// <summary>How datagrams name the path.</summary>
    internal ushort Number => checked((ushort)((Kind switch
    {
        PathKind.Dedicated => 0x100,
        PathKind.Production => 0x200,
    }) + (byte)Place));
}
