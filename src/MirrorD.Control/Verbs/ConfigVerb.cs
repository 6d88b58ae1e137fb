using CommandLine;
using MirrorD.Configuration;

namespace MirrorD.Control.Verbs;

[Verb("config", HelpText = "config check: read the configuration and show every mistake in it.")]
internal sealed class ConfigVerb : Verb
{
    [Value(0, Required = true, MetaName = "check", HelpText = "What to do: check.")]
    public string Action { get; set; } = "";

    [Option(
        "config", MetaValue = "FILE", HelpText = "The file to read (" + ConfigurationFile.DefaultPath + ").")]
    public string Config { get; set; } = ConfigurationFile.DefaultPath;

    public override Task<int> Run(CommandContext context, CancellationToken stop)
    {
        if (Action != "check")
        {
            throw new CommandFailure(
                ExitCode.Usage, $"there is no 'config {Action}'", "did you mean 'config check'?");
        }

        ConfigurationResult result = ConfigurationFile.Load(Config);
        foreach (ConfigurationError error in result.Errors)
        {
            context.Error.WriteLine(error);
        }

        foreach (string note in result.Notes)
        {
            context.Out.WriteLine($"note: {note}");
        }

        if (result.Configuration is not { } configuration)
        {
            context.Fail(
                $"{result.Errors.Count} mistake(s) in {Config}",
                "nothing uses this file until they are gone");
            return Task.FromResult(ExitCode.Failed);
        }

        context.Out.WriteLine(
            $"{string.Join(", ", result.Files)}: good; {configuration.Nodes.Count} nodes, " +
            $"{configuration.Resources.Count} resources");
        return Task.FromResult(ExitCode.Ok);
    }
}
