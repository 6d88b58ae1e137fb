namespace MirrorD.Configuration;

/// <summary>The outside authority that lets at most one node go on alone.</summary>
/// <param name="Directory">Directory that both nodes mount, on a third machine, with working link(2).</param>
public sealed record ArbiterConfiguration(string Directory);
