namespace MirrorD.Daemon.Metrics;

/// <summary>A metric as its first lines name it.</summary>
/// <param name="Name">By the conventions of Prometheus: base units, counters end in _total.</param>
/// <param name="Type">gauge, counter or histogram.</param>
/// <param name="Help">What it says, one sentence.</param>
internal sealed record Metric(string Name, string Type, string Help);
