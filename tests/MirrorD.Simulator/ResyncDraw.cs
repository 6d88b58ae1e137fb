using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>How a seed resyncs, drawn apart from everything else.</summary>
public static class ResyncDraw
{
    /// <summary>A few copies are flushed at a time, and a floor keeps none of them back: for canaries of such flushes.</summary>
    public static bool IsFlushedOften { get; set; }

    /// <summary>The scenario with its kind of resync.</summary>
    public static Scenario Apply(Scenario scenario)
    {
        var random = new SeededRandom(scenario.Seed ^ 0x72657379);
        scenario = scenario with
        {
            ResyncByChecksum = random.Percent(40),
            ResyncFloorBytesPerSecond = random.Percent(30) ? random.Between(1, 8) << 20 : 0,
            PausePercent = random.Percent(30) ? (int)random.Between(10, 60) : 0,
            CopiesPerFlush = random.Percent(50) ? (int)random.Between(1, 6) : scenario.CopiesPerFlush,
        };
        return !IsFlushedOften ? scenario : scenario with
        {
            ResyncFloorBytesPerSecond = 0,
            CopiesPerFlush = Math.Min(scenario.CopiesPerFlush, 6),
        };
    }
}
