using System.Diagnostics.CodeAnalysis;
using CommandLine;
using CommandLine.Text;
using MirrorD.Configuration.NodeState;
using MirrorD.Configuration.Reading;
using MirrorD.Control.Verbs;

namespace MirrorD.Control;

/// <summary>Parses the command line and runs its verb.</summary>
internal static class MirrorctlCommandLine
{
    private static readonly Type[] s_verbs =
    [
        typeof(StatusVerb), typeof(ExplainVerb), typeof(EventsVerb), typeof(HistoryVerb),
        typeof(TopVerb),
        typeof(SwitchoverVerb), typeof(PromoteVerb), typeof(DemoteVerb), typeof(DetachVerb), typeof(AttachVerb),
        typeof(SplitBrainVerb), typeof(RevertVerb), typeof(PauseSyncVerb), typeof(ResumeSyncVerb),
        typeof(VerifyVerb), typeof(ResizeVerb), typeof(ReplaceVerb),
        typeof(DisconnectVerb), typeof(ConnectVerb), typeof(InvalidateVerb),
        typeof(CreateVerb),
        typeof(InspectVerb), typeof(DevicesVerb), typeof(ClusterVerb), typeof(KeysVerb), typeof(ConfigVerb), typeof(NotifyVerb), typeof(VersionVerb),
    ];

    /// <summary>Options that may also stand before the verb, with a value.</summary>
    private static readonly string[] s_leading = ["--socket", "--config", "--node-name"];

    private static readonly string[] s_valued = [.. s_leading, "--out", "--valid", "--token", "--after", "--from", "--state-dir", "--size"];

    /// <summary>Runs a command.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> Run(string[] arguments, CommandContext context, CancellationToken stop)
    {
        try
        {
            using Parser parser = new(settings =>
            {
                settings.HelpWriter = null;
                settings.AutoVersion = false;
            });
            ParserResult<object> result = parser.ParseArguments(VerbFirst(arguments), s_verbs);
            return result switch
            {
                Parsed<object> { Value: Verb verb } => await verb.Run(context, stop),
                NotParsed<object> failed => Explain(failed, context),
                _ => ExitCode.Usage,
            };
        }
        catch (CommandFailure failure)
        {
            context.Fail(failure.Problem, failure.Remedy);
            return failure.ExitCode;
        }
        catch (NodeStateException failure)
        {
            context.Fail(failure.Problem, failure.Remedy);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
    }

    /// <summary>Moves options that stand before the verb behind it, where the parser expects them.</summary>
    private static string[] VerbFirst(string[] arguments)
    {
        switch (arguments)
        {
            case ["--version"]:
                return ["version"];
            case ["help", var named]:
                return [named, "--help"];
            // The parser takes an option at the end for absent when its value is missing.
            case [.., var last] when s_valued.Contains(last):
                throw new CommandFailure(ExitCode.Usage, $"the option {last} needs a value");
        }

        int verb = 0;
        while (verb < arguments.Length && s_leading.Any(option => IsOption(arguments[verb], option)))
        {
            verb += arguments[verb].Contains('=') ? 1 : 2;
        }

        return verb == 0 || verb >= arguments.Length
            ? arguments
            : [arguments[verb], .. arguments[..verb], .. arguments[(verb + 1)..]];
    }

    private static bool IsOption(string argument, string option) =>
        argument == option || argument.StartsWith(option + "=", StringComparison.Ordinal);

    private static int Explain(NotParsed<object> failed, CommandContext context)
    {
        Error first = failed.Errors.First();
        if (first is HelpRequestedError or HelpVerbRequestedError or NoVerbSelectedError)
        {
            context.Out.WriteLine(Help(failed));
            return first is NoVerbSelectedError ? ExitCode.Usage : ExitCode.Ok;
        }

        (string problem, string? remedy) = Describe(first);
        context.Fail(problem, remedy ?? "see 'mirrorctl help'");
        return ExitCode.Usage;
    }

    private static string Help(NotParsed<object> failed)
    {
        HelpText text = HelpText.AutoBuild(
            failed,
            help =>
            {
                help.Heading = "mirrorctl: shows and controls mirrored volumes";
                help.Copyright = "";
                help.AdditionalNewLineAfterOption = false;
                help.AutoVersion = false;
                help.MaximumDisplayWidth = 100;
                return help;
            },
            example => example,
            verbsIndex: failed.TypeInfo.Current == typeof(NullInstance));
        return text.ToString().TrimEnd();
    }

    private static (string Problem, string? Remedy) Describe(Error error) => error switch
    {
        BadVerbSelectedError bad => (
            $"there is no command '{bad.Token}'", NearestKey.Advice(bad.Token, VerbNames(), "commands")),
        UnknownOptionError unknown => ($"there is no option '{unknown.Token}' here", null),
        MissingRequiredOptionError missing => (
            missing.NameInfo.NameText.Length > 0
                ? $"the option --{missing.NameInfo.LongName} is missing"
                : "an argument is missing, e.g. the name of the resource",
            null),
        MissingValueOptionError missing => ($"the option --{missing.NameInfo.LongName} needs a value", null),
        BadFormatConversionError bad => ($"the value of --{bad.NameInfo.LongName} has a wrong form", null),
        MutuallyExclusiveSetError both =>
            ($"--{both.NameInfo.LongName} can't be combined with the other", null),
        RepeatedOptionError twice => ($"the option --{twice.NameInfo.LongName} is given twice", null),
        _ => ($"the command line is wrong ({error.Tag})", null),
    };

    private static string[] VerbNames() =>
        [.. s_verbs.Select(verb => verb.GetCustomAttributes(typeof(VerbAttribute), false))
            .Select(attributes => ((VerbAttribute)attributes[0]).Name)];
}
