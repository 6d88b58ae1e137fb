namespace MirrorD.Configuration.Yaml;

/// <summary>
/// Lays the files of conf.d over the main file. One rule: mappings are joined key by key; anything else that
/// two files give is an error which names both places. No file overrides another.
/// </summary>
internal static class YamlMerger
{
    public static YamlMapping Merge(YamlMapping first, YamlMapping second, ConfigurationErrors errors)
    {
        var merged = new YamlMapping(first.Place);
        foreach (YamlEntry entry in first.Entries)
        {
            YamlEntry? other = second.Find(entry.Key);
            merged.Add(other is null ? entry : entry with { Value = MergeValue(entry, other, errors) });
        }

        foreach (YamlEntry entry in second.Entries)
        {
            merged.Add(entry);
        }

        return merged;
    }

    private static YamlNode MergeValue(YamlEntry first, YamlEntry second, ConfigurationErrors errors)
    {
        switch (first.Value, second.Value)
        {
            case (YamlMapping a, YamlMapping b):
                return Merge(a, b, errors);
            case ({ IsEmpty: true }, _):
                return second.Value;
            case (_, { IsEmpty: true }):
                return first.Value;
            default:
                errors.Add(
                    second.Place, $"key '{first.Key}' is already given in {first.Place}",
                    "keep one of the two");
                return first.Value;
        }
    }
}
