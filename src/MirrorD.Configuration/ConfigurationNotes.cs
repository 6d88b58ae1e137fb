namespace MirrorD.Configuration;

/// <summary>What is allowed but should be known.</summary>
public static class ConfigurationNotes
{
    /// <summary>One sentence each.</summary>
    public static IReadOnlyList<string> Of(ClusterConfiguration configuration)
    {
        var notes = new List<string>();
        foreach (ResourceConfiguration resource in configuration.Resources.Values)
        {
            bool arbiter = configuration.Arbiter is not null;
            bool gateways = resource.Between.All(node => configuration.Nodes[node].HasGateway);
            string? loss = (resource.OnPeerLoss, arbiter, gateways) switch
            {
                (PeerLossPolicy.Continue, true, _) =>
                    "an arbiter is configured, so 'on-peer-loss: continue' has no effect",
                (PeerLossPolicy.Continue, false, _) =>
                    "with 'on-peer-loss: continue' the two copies diverge when the nodes lose sight of " +
                    "each other and both are promoted",
                (_, true, _) => null,
                (PeerLossPolicy.Auto, false, true) =>
                    "without an arbiter the two copies diverge when the nodes lose sight of each other " +
                    "and both still reach their gateway",
                _ =>
                    "without an arbiter a Primary that loses its peer without goodbye freezes until the " +
                    "peer is back or an operator decides",
            };
            if (loss is not null)
            {
                notes.Add($"resource {resource.Name}: {loss}");
            }

            if (resource.SplitBrain == SplitBrainChoice.DiscardStandby)
            {
                notes.Add($"resource {resource.Name}: with 'split-brain: discard-standby' what only a Standby has after a " +
                    "split is given up without asking");
            }

            if (resource is { Autoswitch: true, Replication.Mode: MirrorMode.Async })
            {
                notes.Add($"resource {resource.Name}: with 'mode: async' a takeover loses the latest writes that were not " +
                    "flushed, at most what 'async-buffer' and 'async-lag' allow");
            }

            // A switched-off autoswitch is a choice; one that is off for want of something is a surprise.
            if (resource is { AutoswitchOffReason: { } reason, IsAutoswitchChosen: false })
            {
                notes.Add(reason);
            }
        }

        return notes;
    }
}
