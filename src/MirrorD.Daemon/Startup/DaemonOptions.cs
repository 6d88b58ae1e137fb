using CommandLine;
using MirrorD.Configuration;
using State = MirrorD.Configuration.NodeState.StateDirectory;

namespace MirrorD.Daemon.Startup;

/// <summary>Command line of mirrord. Everything else is in the configuration.</summary>
internal sealed class DaemonOptions
{
    /// <summary>Where sockets are unless another place is named.</summary>
    public const string DefaultRunDirectory = "/run/mirrord";

    [Option(
        "config", MetaValue = "FILE",
        HelpText = "Cluster configuration (" + ConfigurationFile.DefaultPath + ").")]
    public string Config { get; set; } = ConfigurationFile.DefaultPath;

    [Option(
        "node", MetaValue = "NAME", HelpText = "Which node this is (the one with the name of this host).")]
    public string? Node { get; set; }

    [Option(
        "state-dir", MetaValue = "DIRECTORY",
        HelpText = "Node id, key and events (" + State.DefaultPath + ").")]
    public string StateDirectory
    {
        get;
        set => field = Path.GetFullPath(value);
    } = State.DefaultPath;

    [Option("run-dir", MetaValue = "DIRECTORY", HelpText = "Sockets (" + DefaultRunDirectory + ").")]
    public string RunDirectory
    {
        get;
        set => field = Path.GetFullPath(value);
    } = DefaultRunDirectory;

    [Option("verbose", HelpText = "Log details, too.")]
    public bool Verbose { get; set; }
}
