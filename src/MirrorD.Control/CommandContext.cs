namespace MirrorD.Control;

/// <summary>Where a command reads and writes; replaced by tests.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Messages.</param>
/// <param name="In">Answers to questions.</param>
/// <param name="IsTerminal">Results go to a person: tables and colours.</param>
/// <param name="CanAsk">A person can answer questions.</param>
internal sealed record CommandContext(
    TextWriter Out, TextWriter Error, TextReader In, bool IsTerminal, bool CanAsk)
{
    public static CommandContext OfThisProcess() => new(
        Console.Out, Console.Error, Console.In,
        !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb"),
        !Console.IsInputRedirected);

    /// <summary>One line: what, why, remedy.</summary>
    public void Fail(string problem, string? remedy) =>
        Error.WriteLine(remedy is null ? $"mirrorctl: {problem}" : $"mirrorctl: {problem}; {remedy}");

    /// <summary>Asks a person to type a name before something is given up.</summary>
    /// <param name="what">What needs this; begins the message when nobody can be asked.</param>
    /// <param name="question">Shown before the answer.</param>
    /// <param name="name">The only answer that confirms.</param>
    /// <param name="accepted">What --yes says; ends the same message.</param>
    /// <param name="stop">Ends the wait for an answer.</param>
    /// <exception cref="CommandFailure">Nobody can be asked, or the answer is another one.</exception>
    public async Task Confirm(string what, string question, string name, string accepted, CancellationToken stop)
    {
        if (!CanAsk)
        {
            throw new CommandFailure(
                ExitCode.Usage, $"{what} needs a confirmation, and there is no terminal to ask on", $"add --yes if {accepted}");
        }

        Error.Write($"{question}: ");
        string? answer = await In.ReadLineAsync(stop);
        if (answer?.Trim() != name)
        {
            throw new CommandFailure(ExitCode.Failed, "not confirmed, nothing was changed");
        }
    }
}
