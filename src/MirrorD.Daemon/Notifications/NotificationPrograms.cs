using MirrorD.Configuration;
using MirrorD.Daemon.Processes;

namespace MirrorD.Daemon.Notifications;

/// <summary>Runs the programs that tell people: the local sendmail, and configured commands.</summary>
/// <param name="configuration">Whom to tell.</param>
/// <param name="timeoutMs">Deadline of each program, in milliseconds.</param>
/// <param name="output">Told each line that one prints.</param>
internal sealed class NotificationPrograms(
    NotifyConfiguration configuration, int timeoutMs, Action<string> output)
{
    /// <summary>Sends a mail to all configured addresses.</summary>
    /// <returns>What went wrong; null when sendmail took it.</returns>
    public async Task<string?> Mail(Notification told, CancellationToken stop)
    {
        if (!File.Exists(configuration.Sendmail))
        {
            return $"there is no {configuration.Sendmail} to take the mail: install a mail server, or name " +
                "its program in notify.sendmail";
        }

        string? failure = await Run(
            configuration.Sendmail, ["-t", "-oi"], MailText.Of(told, configuration.Mail), [], stop);
        return failure is null ? null : $"{configuration.Sendmail} {failure}";
    }

    /// <summary>Runs all configured commands, one after the other.</summary>
    /// <returns>What went wrong with the first one that failed; null when all ended well.</returns>
    public async Task<string?> Commands(Notification told, CancellationToken stop)
    {
        var environment = new Dictionary<string, string>
        {
            ["MIRRORD_EVENT"] = told.Event.Kind,
            ["MIRRORD_CLASS"] = told.Event.Class,
            ["MIRRORD_RESOURCE"] = told.Event.Resource ?? "",
            ["MIRRORD_NODE"] = told.Node,
            ["MIRRORD_MESSAGE"] = told.Message,
            ["MIRRORD_TIME"] = told.Time,
        };
        string? first = null;
        foreach (string command in configuration.Commands)
        {
            if (await Run("/bin/sh", ["-c", command], null, environment, stop) is { } failure)
            {
                first ??= $"the command '{command}' {failure}";
            }
        }

        return first;
    }

    private async Task<string?> Run(
        string program, string[] arguments, string? input, Dictionary<string, string> environment,
        CancellationToken stop)
    {
        string? last = null;
        string? failure = await new ChildProcess
        {
            Program = program,
            Arguments = arguments,
            Environment = environment,
            Input = input,
            TimeoutMs = timeoutMs,
            Output = line =>
            {
                last = line;
                output(line);
            },
        }.Run(stop);
        return failure is null || last is null ? failure : $"{failure}: {last}";
    }
}
