using MirrorD.Benchmarks.Contenders;

namespace MirrorD.Benchmarks;

/// <summary>Comparisons that are measured when they are named.</summary>
internal static class MoreComparisons
{
    private const string Own = "mirrord";
    private const string Unsealed = "encryption: off";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Comparison> All { get; } =
    [
        new("clients", "Several clients of one volume, mirrored, in memory", IsInMemory: true, IsPinned: false,
            ground => [Product.Mirrored(ground(), Own, Unsealed)], [])
        {
            Told =
            [
                .. ((int[])[1, 4, 16]).Select(
                    count => (new Workload("randwrite", "4k", 4) { Clients = count }, Figure.PerSecond)),
            ],
        },
        new("sizes", "Writes of several sizes, mirrored, in memory", IsInMemory: true, IsPinned: false,
            ground => [Product.Mirrored(ground(), Own, Unsealed)], [])
        {
            Told =
            [
                .. ((string[])["4k", "16k", "64k", "256k"]).Select(
                    size => (new Workload("randwrite", size, 8), Figure.Megabytes)),
            ],
        },
    ];
}
