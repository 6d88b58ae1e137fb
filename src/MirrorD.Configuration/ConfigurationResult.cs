namespace MirrorD.Configuration;

/// <summary>What came of reading a configuration.</summary>
/// <param name="Configuration">The configuration; null when there are errors.</param>
/// <param name="Errors">All mistakes, by file and line.</param>
/// <param name="Notes">Things that are allowed but that the operator should know.</param>
/// <param name="Files">The files that were read, in order.</param>
public sealed record ConfigurationResult(
    ClusterConfiguration? Configuration,
    IReadOnlyList<ConfigurationError> Errors,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Files);
