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
}
