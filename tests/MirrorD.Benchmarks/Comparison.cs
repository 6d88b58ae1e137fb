using MirrorD.Benchmarks.Contenders;

namespace MirrorD.Benchmarks;

/// <summary>What a figure of a workload is told in.</summary>
internal enum Figure
{
    /// <summary>Requests each second.</summary>
    PerSecond,

    /// <summary>MB each second.</summary>
    Megabytes,

    /// <summary>Half of the requests took at most so many microseconds.</summary>
    MedianUs,

    /// <summary>99 of 100.</summary>
    TailUs,
}

/// <summary>A wish: one contender against another one.</summary>
/// <param name="Workload">At this.</param>
/// <param name="Figure">In this.</param>
/// <param name="Of">Name of the contender.</param>
/// <param name="Against">Name of the other one.</param>
/// <param name="Wanted">Their ratio: at least so much; of a latency at most so much.</param>
internal sealed record Goal(Workload Workload, Figure Figure, string Of, string Against, double Wanted)
{
    /// <summary>The other one did this instead; null: the same.</summary>
    public Workload? AgainstWorkload { get; init; }

    public bool IsLatency => Figure is Figure.MedianUs or Figure.TailUs;
}

/// <summary>Contenders that are measured in turn on the same ground.</summary>
/// <param name="Name">Its name, also of its chart.</param>
/// <param name="Title">For a reader.</param>
/// <param name="IsInMemory">Where files lie.</param>
/// <param name="IsPinned">Everything shares one processor.</param>
/// <param name="Contenders">They are made for it, each on a ground from the function.</param>
/// <param name="Goals">What is wanted; their workloads are measured.</param>
internal sealed record Comparison(
    string Name, string Title, bool IsInMemory, bool IsPinned, Func<Func<Ground>, IReadOnlyList<Contender>> Contenders,
    IReadOnlyList<Goal> Goals)
{
    private const string Own = "mirrord";
    private const string Unsealed = "encryption: off";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Comparison> All { get; } =
    [
        new("mirrored", "Mirrored, in memory, all on one processor", IsInMemory: true, IsPinned: true,
            ground => [Mirrored(ground()), Sealed(ground()), Peers.Quorum(ground())],
            [
                new(Workload.Write4KOne, Figure.PerSecond, Own, "quorum", 1.4),
                new(Workload.Write4KMany, Figure.PerSecond, Own, "quorum", 3),
                new(Workload.Write128K, Figure.Megabytes, Own, "quorum", 2),
                new(Workload.Read4KMany, Figure.PerSecond, Own, "quorum", 3),
            ]),
        new("alone", "Not mirrored, in memory, all on one processor", IsInMemory: true, IsPinned: true,
            ground =>
            {
                Ground peers = ground();
                return [Alone(ground()), Peers.Nbdkit(peers), Peers.QemuNbd(peers)];
            },
            [
                new(Workload.Write4KMany, Figure.PerSecond, Own, "nbdkit", 1),
                new(Workload.Write4KMany, Figure.PerSecond, Own, "qemu-nbd", 2),
                new(Workload.Write4KOne, Figure.PerSecond, Own, "nbdkit", 1),
            ]),
        new("hops", "Mirrored, in memory, one write at a time", IsInMemory: true, IsPinned: false,
            ground => [Mirrored(ground()), Sealed(ground()), OnEpoll(ground()), Peers.Hops(ground())],
            [new(Workload.Write4KOne, Figure.MedianUs, Own, "C, same hops", 1.25)]),
        new("hops-pinned", "Mirrored, in memory, one write at a time, all on one processor", IsInMemory: true, IsPinned: true,
            ground => [Mirrored(ground()), Sealed(ground()), OnEpoll(ground()), Peers.Hops(ground())],
            [new(Workload.Write4KOne, Figure.MedianUs, Own, "C, same hops", 1.25)]),
        new("disk-alone", "Not mirrored, on a disk", IsInMemory: false, IsPinned: false,
            ground => [Alone(ground()), Peers.Raw(ground())],
            [
                new(Workload.Write4KOne, Figure.PerSecond, Own, "raw", 0.65),
                new(Workload.Write4KMany, Figure.PerSecond, Own, "raw", 0.6),
            ]),
        new("disk-mirrored", "Mirrored, both copies on one disk", IsInMemory: false, IsPinned: false,
            ground =>
            {
                Ground peers = ground();
                return [Mirrored(ground()), Peers.Hops(peers), Peers.RawTwice(peers)];
            },
            [
                new(Workload.Write4KOne, Figure.PerSecond, Own, "C, same hops", 0.75),
                new(Workload.Write4KMany, Figure.PerSecond, Own, "raw, two files", 0.8),
            ]),
        new("flush", "Mirrored, both copies on one disk, a flush after each write", IsInMemory: false, IsPinned: false,
            ground => [Mirrored(ground()), Peers.Hops(ground())],
            [new(Workload.WriteAndFlush, Figure.MedianUs, Own, "C, same hops", 1.25)]),
        new("encryption", "Encryption of the link, in memory", IsInMemory: true, IsPinned: false,
            ground => [Sealed(ground()), Product.Mirrored(ground(), Unsealed, Unsealed)],
            [
                new(Workload.Write128K, Figure.Megabytes, "mirrord, TLS", Unsealed, 0.6),
                new(Workload.Write128KMany, Figure.Megabytes, "mirrord, TLS", Unsealed, 0.6),
                new(Workload.Write4KOne, Figure.MedianUs, "mirrord, TLS", Unsealed, 1.25),
                new(Workload.Write4KOne, Figure.TailUs, "mirrord, TLS", Unsealed, 2),
            ]),
    ];

    /// <summary>Measured and told without a wish.</summary>
    public IReadOnlyList<(Workload Workload, Figure Figure)> Told { get; init; } = [];

    /// <summary>What is measured.</summary>
    public IEnumerable<Workload> Workloads => Figures.Select(figure => figure.Workload).Distinct();

    /// <summary>What is told of it.</summary>
    public IEnumerable<(Workload Workload, Figure Figure)> Figures => Told
        .Concat(Goals.SelectMany(goal => (IEnumerable<(Workload, Figure)>)
            [(goal.Workload, goal.Figure), (goal.AgainstWorkload ?? goal.Workload, goal.Figure)]))
        .Distinct();

    // None of the peers encrypts: beside them it is off. Each frame has its keyed tag all the same.
    private static Contender Mirrored(Ground ground) => Product.Mirrored(ground, Own, Unsealed);

    private static Contender Sealed(Ground ground) => Product.Mirrored(ground, "mirrord, TLS");

    private static Contender OnEpoll(Ground ground) => Product.OnEpoll(ground, "mirrord, epoll", Unsealed);

    private static Contender Alone(Ground ground) => Product.Alone(ground, Own);
}
