using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration;

/// <summary>Collects the mistakes of all files, so that one run shows them all.</summary>
internal sealed class ConfigurationErrors
{
    private readonly List<ConfigurationError> _errors = [];

    public int Count => _errors.Count;

    public void Add(SourcePlace place, string problem, string remedy) =>
        _errors.Add(new ConfigurationError(place, problem, remedy));

    /// <summary>By file in the order of reading, then by line.</summary>
    public IReadOnlyList<ConfigurationError> InOrder(IReadOnlyList<string> files)
    {
        int Rank(string file)
        {
            for (int i = 0; i < files.Count; i++)
            {
                if (files[i] == file)
                {
                    return i;
                }
            }

            return files.Count;
        }

        return [.. _errors.OrderBy(e => Rank(e.Place.File)).ThenBy(e => e.Place.Line)];
    }
}
