using MirrorD.Configuration;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;
using MirrorD.Daemon.Security;
using MirrorD.Formats;

namespace MirrorD.Daemon.Startup;

/// <summary>Reads what the daemon needs before it can do anything, and says what is missing.</summary>
internal static class NodeContextLoader
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>Longest path of a unix socket (sun_path of sys/un.h without its final zero).</summary>
    private const int LongestSocketPathBytes = 107;

    public static NodeContext Load(DaemonOptions options)
    {
        ClusterConfiguration configuration = ReadConfiguration(options.Config);
        string name = NodeName.Resolve(
            configuration, options.Node, Environment.MachineName, "--node", out string? error)
            ?? throw new StartupException(error!, $"the configuration is {options.Config}");
        var state = new StateDirectory(options.StateDirectory);
        try
        {
            var context = new NodeContext
            {
                Configuration = configuration,
                Name = name,
                Id = new NodeId(state.NodeId()),
                Boot = new BootId(Guid.Parse(File.ReadAllText(BootIdFile).Trim())),
                Keys = LoadKeys(state, name),
                State = state,
                Loops = LoopChoice.Of(configuration.Nodes[name]),
                RunDirectory = options.RunDirectory,
            };
            CheckSocketPaths(context);
            return context;
        }
        catch (NodeStateException missing)
        {
            throw new StartupException(missing.Problem, missing.Remedy);
        }
    }

    private static NodeKeys LoadKeys(StateDirectory state, string name)
    {
        var keys = new NodeKeys(state);
        NodeCertificate says = keys.Security.Identity.Says;
        if (says.Name != name || says.Id != state.NodeId())
        {
            throw new NodeStateException(
                $"the certificate in {state.Identity.NodeFile} is that of node {says.Name} with id {says.Id}, this is node {name} "
                + $"with id {state.NodeId()}",
                "don't copy the state directory of another node: join this one with 'mirrorctl cluster join'");
        }

        TrustVerdict verdict = keys.Security.Judge(keys.Security.Identity.CertificateDer, name);
        return verdict.Distrust is Distrust.None or Distrust.Expired ? keys : throw new NodeStateException(
            verdict.Distrust == Distrust.Revoked
                ? $"the key in {state.Identity.NodeFile} was taken back"
                : $"the certificate in {state.Identity.NodeFile} is not from the authority in {state.Identity.AuthorityFile}",
            "join this node to its cluster anew with 'mirrorctl cluster join'");
    }

    private static ClusterConfiguration ReadConfiguration(string file)
    {
        ConfigurationResult result = ConfigurationFile.Load(file);
        if (result.Configuration is { } configuration)
        {
            return configuration;
        }

        string errors = string.Join('\n', result.Errors.Select(error => $"  {error}"));
        throw new StartupException(
            "the configuration can't be used",
            $"check it with 'mirrorctl config check --config {file}'\n{errors}");
    }

    private static void CheckSocketPaths(NodeContext context)
    {
        var sockets = context.Configuration.ResourcesOf(context.Name)
            .SelectMany(resource => resource.On[context.Name].Volumes
                .Select(volume => context.ExportSocket(resource.Name, volume.Name)))
            .Concat([context.ControlSocket, context.ReadSocket, context.CallSocket]);
        foreach (string path in sockets.Where(
            path => System.Text.Encoding.UTF8.GetByteCount(path) > LongestSocketPathBytes))
        {
            throw new StartupException(
                $"the path {path} is too long for a unix socket (at most {LongestSocketPathBytes} bytes)",
                "name a shorter directory with --run-dir, or shorten the names of resource and volume");
        }
    }
}
