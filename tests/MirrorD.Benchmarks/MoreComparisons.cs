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
        new("durability", "Writes over more than the activity log covers, on a disk", IsInMemory: false, IsPinned: false,
            ground => [Product.Wide(ground(), Own, Unsealed)], WideVolume.Goals(Own)),
        new("durability-memory", "Writes over more than the activity log covers, in memory", IsInMemory: true,
            IsPinned: false, ground => [Product.Wide(ground(), Own, Unsealed)], WideVolume.Goals(Own)),
        new("far", "Mirrored to a node 2 ms away, in memory", IsInMemory: true, IsPinned: false,
            ground =>
            [
                Product.Mirrored(Far(ground), Own, Unsealed), Peers.Quorum(Far(ground)), Peers.Hops(Far(ground)),
            ],
            [])
        {
            Told =
            [
                (Workload.Write4KOne, Figure.MedianUs), (Workload.Write4KOne, Figure.PerSecond),
                (Workload.Write4KMany, Figure.PerSecond),
            ],
        },
        new("busy", "Mirrored, in memory, all on one processor, beside programs that take all they get", IsInMemory: true,
            IsPinned: true,
            ground => [Product.Mirrored(Surroundings.Busy(ground()), Own, Unsealed), Peers.Quorum(ground())], [])
        {
            Told =
            [
                (Workload.Write4KOne, Figure.PerSecond), (Workload.Write4KOne, Figure.TailUs),
                (Workload.Write4KMany, Figure.PerSecond), (Workload.Write128K, Figure.Megabytes),
                (Workload.Read4KMany, Figure.PerSecond),
            ],
        },
    ];

    private static Ground Far(Func<Ground> ground) => Surroundings.Far(ground(), roundTripMs: 2);
}
