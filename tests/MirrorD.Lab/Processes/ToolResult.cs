namespace MirrorD.Lab.Processes;

/// <summary>How a tool ended.</summary>
/// <param name="CommandLine">As it was started.</param>
/// <param name="ExitCode">Its exit status; 137 when it was killed at its deadline.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public sealed record ToolResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>True for exit status 0.</summary>
    public bool Succeeded => ExitCode == 0;

    /// <summary>Both outputs, for messages.</summary>
    public string Text => Output + Error;

    /// <summary>This result, when it succeeded.</summary>
    /// <exception cref="ToolFailedException">It did not.</exception>
    public ToolResult Require() => Succeeded ? this : throw new ToolFailedException(this);
}
