using CommandLine;
using MirrorD.Configuration.NodeState;

namespace MirrorD.Control.Verbs;

[Verb("keygen", HelpText = "Make the key that the nodes share; copy it to the other node.")]
internal sealed class KeygenVerb : Verb
{
    private const string DefaultFile = StateDirectory.DefaultPath + "/cluster.key";

    [Option("out", MetaValue = "FILE", HelpText = "Where to put it (" + DefaultFile + ").")]
    public string Out { get; set; } = DefaultFile;

    public override Task<int> Run(CommandContext context, CancellationToken stop)
    {
        ClusterKey.Generate(Out);
        context.Out.WriteLine(
            $"{Out} written. Copy it to the other node, with mode 0600: scp -p {Out} NODE:{Out}");
        return Task.FromResult(ExitCode.Ok);
    }
}
