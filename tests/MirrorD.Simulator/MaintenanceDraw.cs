using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>
/// Whether an operator of a seed disconnects nodes and throws copies away, drawn apart from everything else: seeds without
/// are as they were before anybody could.
/// </summary>
public static class MaintenanceDraw
{
    /// <summary>No seed has it: canaries of other rules are tried without.</summary>
    public static bool IsOff { get; set; }

    /// <summary>All seeds have it.</summary>
    public static bool IsForced { get; set; }

    /// <summary>The scenario, perhaps with maintenance.</summary>
    public static Scenario Apply(Scenario without)
    {
        var random = new SeededRandom(without.Seed ^ 0x6d61696e);
        bool isDrawn = random.Percent(20) || IsForced;
        return IsOff || without.Forces || without.IsEchoing || !isDrawn ? without : without with
        {
            MaintenanceEveryNs = random.Between(300, 3000) * 1_000_000,
        };
    }
}
