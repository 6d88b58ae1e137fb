namespace MirrorD.Control;

/// <summary>A command can't be carried out; shown as one line on standard error.</summary>
/// <param name="exitCode">One of <see cref="ExitCode"/>.</param>
/// <param name="problem">What is wrong and why.</param>
/// <param name="remedy">What to do; null when there is nothing.</param>
internal sealed class CommandFailure(int exitCode, string problem, string? remedy = null) : Exception(problem)
{
    public int ExitCode { get; } = exitCode;

    public string Problem { get; } = problem;

    public string? Remedy { get; } = remedy;
}
