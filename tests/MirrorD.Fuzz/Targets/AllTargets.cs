using MirrorD.Fuzz.Running;
using MirrorD.Fuzz.Targets.Identity;
using MirrorD.Fuzz.Targets.Linux;
using MirrorD.Fuzz.Targets.Metadata;
using MirrorD.Fuzz.Targets.Nbd;
using MirrorD.Fuzz.Targets.Node;
using MirrorD.Fuzz.Targets.Peer;
using MirrorD.Fuzz.Targets.Watch;

namespace MirrorD.Fuzz.Targets;

/// <summary>The parsers of outside bytes (docs/internals/fuzzing.md).</summary>
public static class AllTargets
{
    /// <summary>In the order in which they are run.</summary>
    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new NbdHandshakeTarget(),
        new NbdRequestsTarget(),
        new PeerHelloTarget(),
        new TlsTarget(),
        new PeerFrameTarget(),
        new PeerLinkTarget(),
        new PeerMessageTarget(),
        new HandshakeFactsTarget(),
        new WatchDatagramTarget(),
        new SuperblockTarget(),
        new ActivityLogTarget(),
        new DirtyPageTarget(),
        new MetadataAreaTarget(),
        new MetadataDumpTarget(),
        new ConfigurationTarget(),
        new ApiBodyTarget(),
        new StateFilesTarget(),
        new CertificateTarget(),
        new IdentityFilesTarget(),
        new JoinTarget(),
        new ForwardedCallTarget(),
        new NetlinkTarget(),
        new ArpTarget(),
        new NeighbourTarget(),
    ];

    /// <summary>The target of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static FuzzTarget Find(string name) => List.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"there is no target '{name}': `fuzz list` names them");
}
