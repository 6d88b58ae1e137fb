using System.Numerics;

namespace MirrorD.Core.Resync;

/// <summary>
/// What the slowest of some requests took, to an eighth: eight counters for each doubling of a microsecond; the last one is for
/// all that took more than 16 minutes.
/// </summary>
public sealed class LatencyTail
{
    private const int StepsOfDoubling = 8;
    private const int Doublings = 28;
    private const long NsPerMicrosecond = 1000;

    private readonly int[] _counts = new int[StepsOfDoubling * Doublings];

    /// <summary>One more took so long.</summary>
    public void Add(long tookNs) => _counts[IndexOf(tookNs)]++;

    /// <summary>What the next one took, in nanoseconds, rounded up, when so many of the slowest are left out; 0: there is none.</summary>
    public long SlowestNs(int left)
    {
        for (int i = _counts.Length - 1; i >= 0; i--)
        {
            left -= _counts[i];
            if (left < 0)
            {
                return BoundNs(i);
            }
        }

        return 0;
    }

    /// <summary>Begins anew.</summary>
    public void Clear() => Array.Clear(_counts);

    // Microseconds below 8 have a counter each; then the three bits after the first one tell which of a doubling's eight.
    private int IndexOf(long tookNs)
    {
        ulong microseconds = (ulong)Math.Max(0, tookNs) / NsPerMicrosecond;
        if (microseconds < StepsOfDoubling)
        {
            return (int)microseconds;
        }

        int doubling = BitOperations.Log2(microseconds) - 2;
        int step = (int)(microseconds >> (doubling - 1)) & (StepsOfDoubling - 1);
        return Math.Min((StepsOfDoubling * doubling) + step, _counts.Length - 1);
    }

    private static long BoundNs(int index)
    {
        int doubling = index / StepsOfDoubling;
        long step = index % StepsOfDoubling;
        return NsPerMicrosecond * (doubling == 0 ? step + 1 : (StepsOfDoubling + step + 1) << (doubling - 1));
    }
}
