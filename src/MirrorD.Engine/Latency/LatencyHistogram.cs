using System.Numerics;

namespace MirrorD.Engine.Latency;

/// <summary>
/// How often something took how long: counters on a scale of four steps for each doubling, from 1 µs to 134 s. One thread
/// records, without allocation or lock; any thread takes a <see cref="LatencySample"/>.
/// </summary>
public sealed class LatencyHistogram
{
    /// <summary>Counters; the last one is for everything that took longer.</summary>
    public const int Counters = 4 + (4 * (LastOctave - 1)) + 1;

    // Of microseconds: 2^26 up to 2^27 is the last one with steps of its own.
    private const int LastOctave = 26;
    private const long NsPerMicrosecond = 1000;

    private readonly long[] _counts = new long[Counters];
    private long _sumNs;

    /// <summary>Counts one time; what a clock shows as negative is none.</summary>
    /// <param name="tookNs">Nanoseconds.</param>
    public void Record(long tookNs)
    {
        tookNs = Math.Max(0, tookNs);
        _counts[IndexOf(tookNs)]++;
        _sumNs += tookNs;
    }

    /// <summary>The counters now. What is recorded meanwhile may be in the one and not in the other.</summary>
    public LatencySample Take()
    {
        long[] counts = new long[Counters];
        long sumNs = Volatile.Read(ref _sumNs);
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] = Volatile.Read(ref _counts[i]);
        }

        return new LatencySample(counts, sumNs);
    }

    /// <summary>Longest time in nanoseconds that a counter counts; <see cref="long.MaxValue"/> of the last one.</summary>
    public static long BoundNs(int index)
    {
        if (index >= Counters - 1)
        {
            return long.MaxValue;
        }

        int steps = index + 1;
        return NsPerMicrosecond * (steps < 4 ? steps : (4L + (steps & 3)) << ((steps >> 2) - 1));
    }

    private static int IndexOf(long tookNs)
    {
        // A bound belongs to the counter below it, as Prometheus has it.
        ulong microseconds = tookNs == 0 ? 0 : (ulong)(tookNs - 1) / NsPerMicrosecond;
        if (microseconds < 4)
        {
            return (int)microseconds;
        }

        int octave = BitOperations.Log2(microseconds);
        return octave > LastOctave
            ? Counters - 1
            : (4 * (octave - 1)) + (int)((microseconds >> (octave - 2)) & 3);
    }
}
