using CommandLine;
using MirrorD.Configuration;

namespace MirrorD.Control.Verbs;

/// <summary>A command that works on this node without its daemon.</summary>
internal abstract class NodeVerb : Verb
{
    [Option(
        "config", MetaValue = "FILE",
        HelpText = "The configuration (" + ConfigurationFile.DefaultPath + ").")]
    public string Config { get; set; } = ConfigurationFile.DefaultPath;

    [Option(
        "node-name", MetaValue = "NAME",
        HelpText = "Which node this is (the one with the name of this host).")]
    public string? NodeName { get; set; }

    protected (ClusterConfiguration Configuration, string Node) LoadConfiguration()
    {
        ConfigurationResult result = ConfigurationFile.Load(Config);
        if (result.Configuration is not { } configuration)
        {
            string errors = string.Join('\n', result.Errors.Select(error => $"  {error}"));
            throw new CommandFailure(ExitCode.Failed, $"the configuration can't be used:\n{errors}");
        }

        string? node = MirrorD.Configuration.NodeName.Resolve(
            configuration, NodeName, Environment.MachineName, "--node-name", out string? error);
        return node is not null ? (configuration, node) : throw new CommandFailure(ExitCode.Failed, error!);
    }
}
