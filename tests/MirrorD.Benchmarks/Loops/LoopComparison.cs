using MirrorD.Benchmarks.Results;
using MirrorD.Io.Linux;

namespace MirrorD.Benchmarks.Loops;

/// <summary>What a loop on epoll costs beside one on io_uring: both in turn, on the same disk.</summary>
internal static class LoopComparison
{
    private static readonly int[] s_depths = [1, 4, 16, 64];

    /// <summary>Measures and prints medians.</summary>
    /// <param name="directory">On the disk, whose file system takes direct I/O.</param>
    /// <param name="rounds">How often, not counting the first one, in which code is compiled.</param>
    public static void Print(string directory, int rounds)
    {
        using var uring = new LoopMeasurement(LoopKind.Uring, directory);
        using var epoll = new LoopMeasurement(LoopKind.Epoll, directory);
        Console.WriteLine($"{"4 KiB",-12} {"io_uring/s",12} {"epoll/s",12} {"ratio",8} {"io_uring us",12} {"epoll us",12}");
        foreach (bool isWrite in (bool[])[false, true])
        {
            foreach (int depth in s_depths)
            {
                var ofUring = new List<(double PerSecond, double Us)>();
                var ofEpoll = new List<(double PerSecond, double Us)>();
                for (int round = 0; round <= rounds; round++)
                {
                    (double, double) one = uring.Run(depth, isWrite);
                    (double, double) other = epoll.Run(depth, isWrite);
                    if (round > 0)
                    {
                        ofUring.Add(one);
                        ofEpoll.Add(other);
                    }
                }

                double a = ofUring.Select(value => value.PerSecond).Median();
                double b = ofEpoll.Select(value => value.PerSecond).Median();
                double aUs = ofUring.Select(value => value.Us).Median();
                double bUs = ofEpoll.Select(value => value.Us).Median();
                string what = isWrite ? "write" : "read";
                Console.WriteLine(FormattableString.Invariant(
                    $"{what,-6}QD{depth,-4} {a,12:0} {b,12:0} {b / a,8:0.00} {aUs,12:0.0} {bUs,12:0.0}"));
            }
        }
    }
}
