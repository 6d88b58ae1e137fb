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
            if (resource.OnPeerLoss == PeerLossPolicy.Continue && configuration.Arbiter is not null)
            {
                notes.Add(
                    $"resource {resource.Name}: an arbiter is configured, so 'on-peer-loss: continue' has " +
                    "no effect");
            }
            else if (resource.OnPeerLoss == PeerLossPolicy.Continue)
            {
                notes.Add(
                    $"resource {resource.Name}: with 'on-peer-loss: continue' the two copies diverge when " +
                    "the " +
                    "nodes lose sight of each other and both are promoted");
            }
            else if (configuration.Arbiter is null)
            {
                notes.Add(
                    $"resource {resource.Name}: without an arbiter a Primary that loses its peer without " +
                    "goodbye freezes until the peer is back or an operator decides");
            }
        }

        return notes;
    }
}
