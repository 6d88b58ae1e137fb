using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>Whether the volumes of a seed grow, drawn apart from everything else.</summary>
public static class GrowthDraw
{
    private const int Percent = 25;

    /// <summary>The scenario, perhaps with volumes that begin smaller.</summary>
    public static Scenario Apply(Scenario scenario)
    {
        var random = new SeededRandom(scenario.Seed ^ 0x67726f77);
        if (scenario.Forces || scenario.ReservedBytes > 0 || scenario.CreationAtA != CreationSource.Empty || !random.Percent(Percent))
        {
            return scenario;
        }

        long blocks = scenario.VolumeBytes / MetadataLayout.BlockBytes;
        return scenario with { StartBytes = random.Between(blocks / 2, blocks - 1) * MetadataLayout.BlockBytes };
    }
}
