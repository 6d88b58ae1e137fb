using System.Text;

namespace MirrorD.Lab.Pairs;

/// <summary>The resources of a pair after the first one.</summary>
public sealed partial class Pair
{
    // The link of the first one has the port of its network.
    private const int FirstPort = 7800;

    /// <summary>Names of the resources after the first one; the volume of each has the same name.</summary>
    public IReadOnlyList<string> MoreResources =>
        [.. Enumerable.Range(2, _options.Resources - 1).Select(number => $"more{number}")];

    private string MoreDisksOfB() =>
        string.Concat(MoreResources.Select(resource => $", {resource}: {{volumes: {{{Volume(B, resource)}}}}}"));

    private void AppendMore(StringBuilder text)
    {
        int port = FirstPort;
        foreach (string resource in MoreResources)
        {
            text.AppendLine($$"""
                  {{resource}}:
                    between: [a, b]
                    volumes: { {{Volume(A, resource)}} }
                    port: {{port++}}
                    on-peer-loss: {{_options.OnPeerLoss}}
                    autoswitch: off
                """);
            foreach (string line in _options.ResourceLines)
            {
                text.AppendLine($"    {line}");
            }
        }
    }

    private void JoinAndPromoteMore()
    {
        foreach (string resource in MoreResources)
        {
            Wait.For(
                $"{resource} to be joined", 60,
                () => A.Status(resource).IsJoined && B.Status(resource).IsJoined,
                () => $"{A.Status(resource)}\n{B.Status(resource)}");
            A.Control("promote", resource).Require();
            Wait.For($"{resource} to be Primary on a", 20, () => A.Status(resource).IsPrimary);
        }
    }
}
