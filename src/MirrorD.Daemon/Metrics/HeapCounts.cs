namespace MirrorD.Daemon.Metrics;

/// <summary>What the program has taken from its heap since it started. Requests take nothing.</summary>
/// <param name="AllocatedBytes">Bytes of all objects, as far as threads have told: up to 8 KiB of each are missing.</param>
/// <param name="Collections">By generation; a collection counts in its own generation and in all younger ones.</param>
internal sealed record HeapCounts(long AllocatedBytes, IReadOnlyList<long> Collections)
{
    /// <summary>At this moment. Any thread; no thread is held up for it.</summary>
    public static HeapCounts Now() => new(
        GC.GetTotalAllocatedBytes(precise: false),
        [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => (long)GC.CollectionCount(generation))]);
}
