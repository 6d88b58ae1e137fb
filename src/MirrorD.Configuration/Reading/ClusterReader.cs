using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads the root of the configuration and then checks what spans sections.</summary>
internal sealed class ClusterReader(ConfigurationErrors errors)
{
    public ClusterConfiguration? Read(YamlMapping root)
    {
        var section = new Section(root, "", errors, "nodes", "resources", "arbiter", "heartbeat", "notify");
        if (!section.Has("nodes"))
        {
            section.Missing(
                "nodes", "{a: {dedicated: {address: 10.0.0.1}}, b: {dedicated: {address: 10.0.0.2}}}");
        }

        var nodes = new NodeReader(errors).Read(section);
        ArbiterConfiguration? arbiter = ReadArbiter(section);
        HeartbeatConfiguration heartbeat = ReadHeartbeat(section);
        NotifyConfiguration notify = new NotifyReader(errors).Read(section);
        var failover = new FailoverReader(errors, nodes, section.Has("arbiter"), heartbeat);
        var resources = new ResourceReader(errors, nodes, failover).Read(section);
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
            Heartbeat = heartbeat,
            Notify = notify,
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

    private HeartbeatConfiguration ReadHeartbeat(Section root)
    {
        if (root.Mapping("heartbeat", "{interval: 500ms, dead-after: 3s}") is not { } mapping)
        {
            return new HeartbeatConfiguration();
        }

        int errorsBefore = errors.Count;
        var section = new Section(mapping, "heartbeat", errors, "interval", "dead-after");
        long intervalMs = section.DurationMs(
            "interval", HeartbeatConfiguration.DefaultIntervalMs, 50, 10_000, "50ms to 10s");
        long deadAfterMs = section.DurationMs(
            "dead-after", HeartbeatConfiguration.DefaultDeadAfterMs, 150, 300_000, "150ms to 5m");
        if (errors.Count == errorsBefore && deadAfterMs < 3 * intervalMs)
        {
            section.Bad(
                "dead-after", $"{deadAfterMs} ms are less than three intervals of {intervalMs} ms",
                $"write at least {3 * intervalMs}ms, or a shorter 'interval'");
        }

        return new HeartbeatConfiguration((int)intervalMs, (int)deadAfterMs);
    }
}
