using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Security;
using MirrorD.Formats;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Startup;

/// <summary>Who this daemon is and what it works on; fixed from its start to its end.</summary>
internal sealed record NodeContext
{
    public required ClusterConfiguration Configuration { get; init; }

    /// <summary>Name of this node.</summary>
    public required string Name { get; init; }

    /// <summary>Stable id of this node.</summary>
    public required NodeId Id { get; init; }

    /// <summary>This run of the host.</summary>
    public required BootId Boot { get; init; }

    /// <summary>The keys of this node.</summary>
    public required NodeKeys Keys { get; init; }

    /// <summary>Who this node is, and whom it trusts.</summary>
    public NodeSecurity Security => Keys.Security;

    public required StateDirectory State { get; init; }

    /// <summary>Makes its loops.</summary>
    public required LoopFactory Loops { get; init; }

    /// <summary>Why the kernel may make this process wait for itself; null when it does not.</summary>
    public string? IoFlusherProblem { get; init; }

    /// <summary>Directory of the sockets.</summary>
    public required string RunDirectory { get; init; }

    /// <summary>Socket of the control API.</summary>
    public string ControlSocket => Path.Combine(RunDirectory, "mirrord.sock");

    /// <summary>Socket of the control API for reading only.</summary>
    public string ReadSocket => Path.Combine(RunDirectory, ApiPaths.ReadSocketName);

    /// <summary>Socket of the control API to which this daemon brings the calls of other nodes.</summary>
    public string CallSocket => Path.Combine(RunDirectory, "mirrord-calls.sock");

    /// <summary>Socket of a volume's export.</summary>
    public string ExportSocket(string resource, string volume) =>
        Path.Combine(RunDirectory, resource, volume + ".nbd");

    /// <summary>Socket at which this node's copy of a volume can be read, while it is open.</summary>
    public string CopySocket(string resource, string volume) =>
        Path.Combine(RunDirectory, resource, volume + ".copy");
}
