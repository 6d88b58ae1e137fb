namespace MirrorD.Benchmarks.Machines;

/// <summary>
/// What was counted on both machines, and of both from outside; the difference of two of them is what a time took.
/// </summary>
/// <param name="Writes">Requests to write that the measured device completed.</param>
/// <param name="DiskWrites">The disk below it, on a and b: writes.</param>
/// <param name="DiskBytes">Bytes written there.</param>
/// <param name="DiskFlushes">Flushes there.</param>
/// <param name="LinkBytes">Bytes on the dedicated link, both ways.</param>
/// <param name="LinkPackets">Packets there, both ways.</param>
/// <param name="Switches">Switches of context in all processes.</param>
/// <param name="DaemonMs">Processor time of the processes that do the contender's work, in the machines' own time.</param>
/// <param name="ProcessorWrites">As <paramref name="Writes"/>, in the shorter time of the last count.</param>
/// <param name="ProcessorMs">Processor time of the whole emulated machines, as this machine counts it.</param>
internal sealed record MachineCounts(
    long Writes, Sides DiskWrites, Sides DiskBytes, Sides DiskFlushes, long LinkBytes, long LinkPackets, Sides Switches,
    Sides DaemonMs, long ProcessorWrites, Sides ProcessorMs)
{
    public static MachineCounts operator -(MachineCounts after, MachineCounts before) => new(
        after.Writes - before.Writes, after.DiskWrites - before.DiskWrites, after.DiskBytes - before.DiskBytes,
        after.DiskFlushes - before.DiskFlushes, after.LinkBytes - before.LinkBytes, after.LinkPackets - before.LinkPackets,
        after.Switches - before.Switches, after.DaemonMs - before.DaemonMs, after.ProcessorWrites - before.ProcessorWrites,
        after.ProcessorMs - before.ProcessorMs);

    /// <summary>Each count for one write.</summary>
    public override string ToString() => $"for a write, a + b: {Told(Math.Max(Writes, 1), Math.Max(ProcessorWrites, 1))}";

    /// <summary>Each count for one second at rest.</summary>
    /// <param name="seconds">Of the count.</param>
    public string EachSecond(double seconds) => $"each second, a + b: {Told(seconds, seconds)}";

    private string Told(double by, double processorBy)
    {
        string Of(Sides sides, double? other = null) =>
            FormattableString.Invariant($"{sides.A / (other ?? by):0.00} + {sides.B / (other ?? by):0.00}");
        return FormattableString.Invariant(
            $"disk: {Of(DiskWrites)} writes, {DiskBytes.A / by:0} + {DiskBytes.B / by:0} bytes, {Of(DiskFlushes)} flushes; ")
            + FormattableString.Invariant($"link: {LinkBytes / by:0} bytes, {LinkPackets / by:0.00} packets; ")
            + $"switches: {Of(Switches)}; processor: {Of(ProcessorMs, processorBy)} ms";
    }
}

/// <summary>A count of machine a and one of machine b.</summary>
internal readonly record struct Sides(double A, double B)
{
    public static Sides operator -(Sides one, Sides other) =>
        new(Math.Round(one.A - other.A, 3), Math.Round(one.B - other.B, 3));
}
