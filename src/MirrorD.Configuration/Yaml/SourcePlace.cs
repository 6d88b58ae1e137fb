namespace MirrorD.Configuration.Yaml;

/// <summary>A place in a configuration file.</summary>
/// <param name="File">Path as it was given.</param>
/// <param name="Line">Line from 1; 0 when the file as a whole is meant.</param>
public readonly record struct SourcePlace(string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}";
}
