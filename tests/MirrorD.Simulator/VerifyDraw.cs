using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>
/// Whether a seed has verifies, drawn apart from everything else: seeds without are as they were before there were any.
/// </summary>
public static class VerifyDraw
{
    /// <summary>No seed has them: canaries of other rules are tried without.</summary>
    public static bool IsOff { get; set; }

    /// <summary>The scenario with its verifies.</summary>
    public static Scenario Apply(Scenario without)
    {
        var random = new SeededRandom(without.Seed ^ 0x76657269);
        return IsOff || without.IsEchoing || random.Percent(70) ? without : without with
        {
            VerifyEveryNs = random.Between(200, 3000) * 1_000_000,
            VerifyBytesPerSecond = random.Percent(30) ? 0 : random.Between(8, 64) * 1024 * 1024,
        };
    }
}
