namespace MirrorD.Benchmarks;

/// <summary>Writes of one size at one depth.</summary>
/// <param name="BlockSize">As fio writes it.</param>
/// <param name="Depth">Requests at once.</param>
/// <param name="IsThroughput">Throughput counts, not latency.</param>
internal sealed record Workload(string BlockSize, int Depth, bool IsThroughput)
{
    /// <summary>What is measured.</summary>
    public static IReadOnlyList<Workload> All { get; } = [new("128k", 8, true), new("128k", 32, true), new("4k", 1, false)];

    public override string ToString() => $"{BlockSize} QD{Depth}";
}
