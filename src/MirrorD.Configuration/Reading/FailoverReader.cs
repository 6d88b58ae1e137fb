using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads what a resource says about losing the peer, taking over and releasing.</summary>
internal sealed class FailoverReader(
    ConfigurationErrors errors, IReadOnlyDictionary<string, ReadNode> nodes, bool hasArbiter,
    HeartbeatConfiguration heartbeat)
{
    private const int ShortestLinkTimeoutMs = 500;

    private const string PolicyAdvice =
        "write 'auto' (with a gateway), 'freeze' (safe) or 'continue' (the copies may diverge)";

    /// <summary>The keys of a resource that are read here.</summary>
    public static readonly string[] Keys =
    [
        "on-peer-loss", "autoswitch", "preferred-primary", "takeover-delay", "link-timeout",
        "outdate-timeout", "release-timeout", "address-probe", "prefer-connected-node", "on-stop",
        "block-devices", "disk-timeout", "split-brain",
    ];

    /// <summary>The resource with these settings.</summary>
    /// <param name="section">Its section.</param>
    /// <param name="resource">What was read of it; its pair may be empty after a mistake.</param>
    public ResourceConfiguration Read(Section section, ResourceConfiguration resource)
    {
        string? missing = MissingForAutoswitch(resource);
        bool? chosen = section.Choice<bool?>("autoswitch", null, "choice", "write 'on' or 'off'",
            ("on", true), ("off", false), ("true", true), ("false", false), ("auto", null));
        string? offReason = AutoswitchOffReason(section, resource, chosen, missing);
        return resource with
        {
            OnPeerLoss = section.Choice("on-peer-loss", PeerLossPolicy.Auto, "policy", PolicyAdvice,
                ("auto", PeerLossPolicy.Auto), ("freeze", PeerLossPolicy.Freeze),
                ("continue", PeerLossPolicy.Continue)),
            Autoswitch = offReason is null,
            AutoswitchOffReason = offReason,
            IsAutoswitchChosen = chosen is not null,
            PreferredPrimary = PreferredPrimary(section, resource.Between),
            TakeoverDelayMs = (int)section.DurationMs("takeover-delay", 0, 0, 300_000, "0s to 5m"),
            LinkTimeoutMs = (int)section.DurationMs(
                "link-timeout", Math.Max(heartbeat.DeadAfterMs, ShortestLinkTimeoutMs),
                ShortestLinkTimeoutMs, 300_000, "500ms to 5m"),
            DiskTimeoutMs = section.Text("disk-timeout", "60s") == "none" ? 0
                : (int)section.DurationMs("disk-timeout", 60_000, 1000, 600_000, "1s to 10m, or none"),
            OutdateTimeoutMs = (int)section.DurationMs(
                "outdate-timeout", 2000, 100, 60_000, "100ms to 1m"),
            ReleaseTimeoutMs = (int)section.DurationMs(
                "release-timeout", 10_000, 100, 600_000, "100ms to 10m"),
            AddressProbe = AddressProbe(section),
            PreferConnectedNode = section.Choice("prefer-connected-node", PreferConnectedNode.Auto,
                "choice", "write 'auto' or 'ask'",
                ("auto", PreferConnectedNode.Auto), ("ask", PreferConnectedNode.Ask)),
            OnStop = section.Choice<OnStop?>("on-stop", null, "choice", "write 'stop' or 'switchover'",
                ("stop", OnStop.Stop), ("switchover", OnStop.Switchover)),
            SplitBrain = section.Choice("split-brain", SplitBrainChoice.Manual, "policy",
                "write 'manual' (an operator decides), 'discard-unchanged' or 'discard-standby' (loses what only it has)",
                ("manual", SplitBrainChoice.Manual), ("discard-unchanged", SplitBrainChoice.DiscardUnchanged),
                ("discard-standby", SplitBrainChoice.DiscardStandby)),
            BlockDevices = section.Choice("block-devices", BlockDevices.Auto, "choice", "write 'auto', 'nbd' or 'none'",
                ("auto", BlockDevices.Auto), ("nbd", BlockDevices.Nbd), ("none", BlockDevices.None)),
        };
    }

    /// <summary>
    /// What a takeover without an operator lacks, after "resource x has"; null when nothing. A node that is
    /// the last one alive can't be told from one that is cut off except by a third party.
    /// </summary>
    private string? MissingForAutoswitch(ResourceConfiguration resource)
    {
        if (hasArbiter || resource.Between.Any(node => nodes[node].Configuration is null))
        {
            return null;
        }

        string[] without = [.. resource.Between.Where(node => !nodes[node].Configuration!.HasGateway)];
        return without.Length switch
        {
            0 => null,
            1 => $"no arbiter, and node {without[0]} has no gateway",
            _ => "no arbiter and no gateway",
        };
    }

    private static string? AutoswitchOffReason(
        Section section, ResourceConfiguration resource, bool? chosen, string? missing)
    {
        string name = resource.Name;
        switch (chosen, missing)
        {
            case (false, _):
                return $"Resource {name} has 'autoswitch: off': the standby will not take over by itself";
            case (null, null) when resource.Replication.Mode == MirrorMode.Async:
                return $"Resource {name} has 'mode: async', in which a takeover loses the latest writes that were not " +
                    "flushed: the standby takes over by itself only with 'autoswitch: on'";
            case (_, null):
                return null;
            case (true, _):
                section.Bad("autoswitch",
                    $"the resource has {missing}, so a standby can't tell a dead Primary from a cut network",
                    "configure 'arbiter', or a 'gateway' on a production network of both nodes, or write " +
                    "'off'");
                break;
        }

        return $"Resource {name} has {missing}: the standby will not take over by itself";
    }

    private static string? PreferredPrimary(Section section, IReadOnlyList<string> pair)
    {
        if (section.Text("preferred-primary", "a") is not { } node || pair.Count == 0)
        {
            return null;
        }

        if (!pair.Contains(node))
        {
            section.Bad("preferred-primary", $"'{node}' is not a node of the pair",
                $"write {pair[0]} or {pair[1]}, or leave it out");
            return null;
        }

        return node;
    }

    private AddressProbeConfiguration AddressProbe(Section resource)
    {
        var defaults = new AddressProbeConfiguration();
        if (resource.Mapping("address-probe", "{count: 3, interval: 100ms}") is not { } mapping)
        {
            return defaults;
        }

        var section = new Section(
            mapping, resource.PathOf("address-probe"), errors, "count", "interval");
        return new AddressProbeConfiguration(
            section.Number("count", defaults.Count, 0, 10),
            (int)section.DurationMs("interval", defaults.IntervalMs, 10, 2000, "10ms to 2s"));
    }
}
