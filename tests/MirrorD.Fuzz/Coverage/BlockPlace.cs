namespace MirrorD.Fuzz.Coverage;

/// <summary>Where a block of code begins.</summary>
/// <param name="File">Source file, from the root of the repository.</param>
/// <param name="Line">Line of the statement that begins here, from 1; 0: none does.</param>
public readonly record struct BlockPlace(string File, int Line);
