namespace MirrorD.Daemon.Startup;

/// <summary>The daemon can't start.</summary>
/// <param name="problem">What is wrong and why, without a full stop.</param>
/// <param name="remedy">What to do.</param>
internal sealed class StartupException(string problem, string remedy) : Exception($"{problem}; {remedy}")
{
    public string Problem { get; } = problem;

    public string Remedy { get; } = remedy;
}
