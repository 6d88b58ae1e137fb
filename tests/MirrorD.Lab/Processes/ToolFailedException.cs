namespace MirrorD.Lab.Processes;

/// <summary>A tool that had to succeed did not.</summary>
public sealed class ToolFailedException(ToolResult result)
    : Exception($"{result.CommandLine}\nended with {result.ExitCode}\n{result.Text}")
{
    /// <summary>The result.</summary>
    public ToolResult Result { get; } = result;
}
