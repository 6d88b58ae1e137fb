using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>
/// Names of nodes, resources and volumes: they become directories, exports and metadata fields.
/// </summary>
internal static class Names
{
    private const int LongestBytes = 63;

    /// <summary>Reports a name that can't be used.</summary>
    public static bool Check(YamlEntry entry, string what, ConfigurationErrors errors)
    {
        string name = entry.Key;
        bool good = name.Length is > 0 and <= LongestBytes
            && char.IsAsciiLetterOrDigit(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        if (!good)
        {
            errors.Add(entry.Place, $"'{name}' can't be the name of a {what}",
                $"use up to {LongestBytes} letters, digits, '-', '_' and '.', beginning with a letter or " +
                "digit");
        }

        return good;
    }
}
