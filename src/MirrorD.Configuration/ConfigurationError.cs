using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration;

/// <summary>One mistake in a configuration.</summary>
/// <param name="Place">Where.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record ConfigurationError(SourcePlace Place, string Problem, string Remedy)
{
    /// <summary>"file:line: what is wrong; remedy".</summary>
    public override string ToString() => $"{Place}: {Problem}; {Remedy}";
}
