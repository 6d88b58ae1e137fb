using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads the root of the configuration and then checks what spans sections.</summary>
internal sealed class ClusterReader(ConfigurationErrors errors)
{
    public ClusterConfiguration? Read(YamlMapping root)
    {
        var section = new Section(root, "", errors, "nodes", "resources", "arbiter");
        if (!section.Has("nodes"))
        {
            section.Missing(
                "nodes", "{a: {dedicated: {address: 10.0.0.1}}, b: {dedicated: {address: 10.0.0.2}}}");
        }

        var nodes = new NodeReader(errors).Read(section);
        var resources = new ResourceReader(errors, nodes).Read(section);
        ArbiterConfiguration? arbiter = ReadArbiter(section);
        if (errors.Count > 0)
        {
            return null;
        }

        var configuration = new ClusterConfiguration
        {
            Nodes = nodes.ToDictionary(
                pair => pair.Key, pair => pair.Value.Configuration!, StringComparer.Ordinal),
            Resources = resources.ToDictionary(
                pair => pair.Key, pair => pair.Value.Configuration!, StringComparer.Ordinal),
            Arbiter = arbiter,
        };
        new ClusterChecks(errors, configuration, resources).Run(nodes);
        return configuration;
    }

    private ArbiterConfiguration? ReadArbiter(Section root)
    {
        if (root.Mapping("arbiter", "{directory: /mnt/arbiter}") is not { } mapping)
        {
            return null;
        }

        var section = new Section(mapping, "arbiter", errors, "directory");
        if (!section.Has("directory"))
        {
            section.Missing("directory", "/mnt/arbiter");
            return null;
        }

        return section.AbsolutePath("directory", "/mnt/arbiter") is { } path
            ? new ArbiterConfiguration(path)
            : null;
    }
}
