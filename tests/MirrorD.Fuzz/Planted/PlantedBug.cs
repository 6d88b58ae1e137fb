namespace MirrorD.Fuzz.Planted;

/// <summary>A bug that could have been written, to show that the fuzzer finds such a one.</summary>
/// <param name="Target">The target that is to find it.</param>
/// <param name="File">Source file, from the root of the repository.</param>
/// <param name="Old">Text that stands there exactly once.</param>
/// <param name="New">What is written instead.</param>
/// <param name="Breaks">What goes wrong.</param>
public sealed record PlantedBug(string Target, string File, string Old, string New, string Breaks);
