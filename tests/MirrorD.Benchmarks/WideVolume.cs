using MirrorD.Core;

namespace MirrorD.Benchmarks;

/// <summary>
/// A volume of eight times what the activity log covers. Its files are sparse: only the first 4 KiB of each 512 KiB are
/// written, before anything is measured and then again and again, so that hot and wide writes find the same kind of place.
/// </summary>
internal static class WideVolume
{
    private const long Coverage = (long)Limits.ActiveExtents * Limits.ExtentBytes;
    private const long Wide = 8 * Coverage;

    // Leaves the log some room: extents that are given up and taken again would be no hot ones.
    private const long Hot = Coverage * 4 / 5;
    private const long Step = 512 << 10;

    /// <summary>Bytes of each file: the volume, and its metadata.</summary>
    public const long DiskBytes = Wide + (64L << 20);

    /// <summary>fio's words to write each place once.</summary>
    public static IReadOnlyList<string> Fill { get; } =
    [
        $"--rw=write:{Step - 4096}", "--bs=4k", "--iodepth=32", $"--size={Wide}", $"--io_size={Wide / Step * 4096}",
    ];

    /// <summary>Wide writes against hot ones.</summary>
    public static IReadOnlyList<Goal> Goals(string of) => [Goal(of, 32, 0.9), Goal(of, 1, 0.45)];

    private static Goal Goal(string of, int depth, double wanted) =>
        new(Writes("over 8 x the log", Wide, depth), Figure.PerSecond, of, of, wanted)
        {
            AgainstWorkload = Writes("within the log", Hot, depth),
        };

    private static Workload Writes(string where, long span, int depth) =>
        new("randwrite", "4k", depth)
        {
            SpanBytes = span,
            AlignBytes = Step,
            Name = $"4k writes {where}, QD{depth}",
        };
}
