using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>What a node says differently about a resource: nodes.&lt;n&gt;.resources.&lt;r&gt;.</summary>
internal sealed class NodeOverrides
{
    public NodeOverrides(Section node, string resource, ConfigurationErrors errors)
    {
        foreach ((YamlEntry entry, YamlMapping value) in
            node.Mapping("resources", "{}") is { } all ? NamedOf(all) : [])
        {
            if (entry.Key == resource)
            {
                Section = new Section(
                    value, $"{node.PathOf("resources")}.{resource}", errors, "volumes", "addresses");
            }
        }
    }

    /// <summary>The overrides; null when the node has none for the resource.</summary>
    public Section? Section { get; }

    // Values of a wrong kind are reported once, where the names of the overrides are checked.
    private static IEnumerable<(YamlEntry, YamlMapping)> NamedOf(YamlMapping all) =>
        all.Entries.Where(entry => entry.Value is YamlMapping).Select(
            entry => (entry, (YamlMapping)entry.Value));
}
