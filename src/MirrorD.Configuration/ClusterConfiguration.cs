namespace MirrorD.Configuration;

/// <summary>The whole configuration, identical on every node.</summary>
public sealed record ClusterConfiguration
{
    /// <summary>Nodes by name.</summary>
    public required IReadOnlyDictionary<string, NodeConfiguration> Nodes { get; init; }

    /// <summary>Resources by name.</summary>
    public required IReadOnlyDictionary<string, ResourceConfiguration> Resources { get; init; }

    /// <summary>The arbiter; null when there is none.</summary>
    public ArbiterConfiguration? Arbiter { get; init; }

    /// <summary>Heartbeats between the nodes.</summary>
    public HeartbeatConfiguration Heartbeat { get; init; } = new();

    /// <summary>Whom to tell; <see cref="NotifyConfiguration.None"/> when nobody is named.</summary>
    public NotifyConfiguration Notify { get; init; } = NotifyConfiguration.None;

    /// <summary>The resources that a node is one of the pair of, in the order of their names.</summary>
    public IEnumerable<ResourceConfiguration> ResourcesOf(string node) => Resources.Values
        .Where(resource => resource.On.ContainsKey(node))
        .OrderBy(resource => resource.Name, StringComparer.Ordinal);
}
