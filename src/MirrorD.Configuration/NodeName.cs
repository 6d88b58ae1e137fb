namespace MirrorD.Configuration;

/// <summary>Which node of the configuration this host is.</summary>
public static class NodeName
{
    /// <summary>
    /// The node named by the caller, else the one with the name of this host (also without its domain).
    /// </summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="named">What --node or --node-name said; null when not given.</param>
    /// <param name="hostName">Name of this host.</param>
    /// <param name="option">The option that names the node, for the message.</param>
    /// <param name="error">Why there is no answer: what, why, remedy.</param>
    public static string? Resolve(
        ClusterConfiguration configuration, string? named, string hostName, string option, out string? error)
    {
        string known = string.Join(", ", configuration.Nodes.Keys);
        error = null;
        if (named is not null)
        {
            if (configuration.Nodes.ContainsKey(named))
            {
                return named;
            }

            error = $"{option} {named}: the configuration has no such node; it has {known}";
            return null;
        }

        if (configuration.Nodes.ContainsKey(hostName))
        {
            return hostName;
        }

        string shortName = hostName.Split('.')[0];
        if (configuration.Nodes.ContainsKey(shortName))
        {
            return shortName;
        }

        error = $"this host is called {hostName}, which is no node of the configuration ({known}); " +
            $"name the node with {option}";
        return null;
    }
}
