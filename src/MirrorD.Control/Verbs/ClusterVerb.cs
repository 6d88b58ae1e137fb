using CommandLine;
using MirrorD.Configuration;
using MirrorD.Configuration.Identity;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Control.Verbs;

[Verb("cluster", HelpText = "cluster init: make this node the first one of a new cluster. "
    + "cluster token NODE: let another node in, once. cluster join NODE: join the cluster of that node. "
    + "cluster issue NODE: make the keys of another node, to be carried there. "
    + "cluster issue-client NAME: make the keys of a client of the NBD exports over TCP.")]
internal sealed partial class ClusterVerb : NodeVerb
{
    [Value(0, Required = true, MetaName = "init|token|join|issue|issue-client", HelpText = "What to do.")]
    public string Action { get; set; } = "";

    [Value(1, MetaName = "name", HelpText = "Name of the other node, or of the client.")]
    public string? Other { get; set; }

    [Option("out", MetaValue = "DIRECTORY", HelpText = "With issue and issue-client: where to put the files.")]
    public string? Out { get; set; }

    [Option("state-dir", MetaValue = "DIRECTORY", HelpText = "Keys of this node (" + StateDirectory.DefaultPath + ").")]
    public string State { get; set; } = StateDirectory.DefaultPath;

    public override async Task<int> Run(CommandContext context, CancellationToken stop) => (Action, Other, Out, Token) switch
    {
        ("init", null, null, null) => Init(context),
        ("token", _, null, null) => GiveToken(context),
        ("join", not null, null, _) => await Join(context, Other, stop),
        ("issue", not null, not null, null) => Issue(context, Other, Out),
        ("issue-client", not null, not null, null) => IssueClient(context, Other, Out),
        _ => throw new CommandFailure(
            ExitCode.Usage, $"this is no command: cluster {Action} {Other}".TrimEnd(),
            "mirrorctl cluster init, cluster token [NODE], cluster join NODE, cluster issue NODE --out DIRECTORY, "
            + "or cluster issue-client NAME --out DIRECTORY"),
    };

    private int Init(CommandContext context)
    {
        (ClusterConfiguration configuration, string node) = LoadConfiguration();
        NodeIdentity identity = ClusterMembership.Found(new StateDirectory(State), node, DateTimeOffset.UtcNow);
        string[] others = [.. configuration.Nodes.Keys.Where(name => name != node).Order(StringComparer.Ordinal)];
        context.Out.WriteLine(
            $"A new cluster with node {node} is made; its keys are in {State}, valid until {identity.Says.NotAfter:yyyy-MM-dd}.");
        if (others.Length > 0)
        {
            context.Out.WriteLine(
                $"Next: start mirrord here, then let {string.Join(" and ", others)} in with 'mirrorctl cluster token'.");
        }

        return ExitCode.Ok;
    }

    private int Issue(CommandContext context, string other, string directory)
    {
        (ClusterConfiguration configuration, string node) = LoadConfiguration();
        if (other == node || !configuration.Nodes.ContainsKey(other))
        {
            throw new CommandFailure(
                ExitCode.Failed, other == node ? $"{other} is this node" : $"the configuration has no node '{other}'",
                $"name one of {string.Join(", ", configuration.Nodes.Keys.Where(name => name != node))}");
        }

        ClusterMembership.Issue(new StateDirectory(State), new StateDirectory(directory), other, DateTimeOffset.UtcNow);
        context.Out.WriteLine(
            $"The keys of node {other} are in {directory}. Carry it to {other} over a way that nobody reads, as "
            + $"{StateDirectory.DefaultPath}, owned by root, and remove it here.");
        return ExitCode.Ok;
    }

    private int IssueClient(CommandContext context, string name, string directory)
    {
        if (!ClientCertificate.IsName(name))
        {
            throw new CommandFailure(ExitCode.Usage, $"'{name}' can't be the name of a client", ClientCertificate.NameRule);
        }

        ClientCertificate made = ClientIdentity.Issue(new StateDirectory(State), directory, name, DateTimeOffset.UtcNow);
        context.Out.WriteLine(
            $"The keys of client {name} are in {directory}, valid until {made.NotAfter:yyyy-MM-dd}. Carry it to the client "
            + "over a way that nobody reads, and remove it here.");
        context.Out.WriteLine(
            $"Next: allow {name} in 'nbd-tcp' of a resource. To take the key back: mirrorctl keys revoke {made.KeyHash}");
        return ExitCode.Ok;
    }
}
