namespace MirrorD.Core.Resync;

/// <summary>
/// How fast a resync may copy. Without a floor it is the ceiling. With one it is adaptive: every <see cref="IntervalNs"/>
/// it is decided anew by what clients' requests took: all of them on the average and, where there are enough, the slowest
/// one in 64. Now and then no copy begins until some requests were begun and ended without any under way: what they took is what
/// all is compared with. The rate goes down by half while they take clearly longer, up by a quarter while they do not, and
/// doubles while there are none. Where it was felt it comes near again slowly only: else it would be felt in each fourth
/// interval. Pure: told of times, it never looks at a clock.
/// </summary>
public sealed class ResyncRate
{
    /// <summary>Between two decisions, in nanoseconds: a tick of the loop.</summary>
    public const long IntervalNs = 100_000_000;

    /// <summary>Intervals with clients' requests until it learns anew what they take without copies: 10 s.</summary>
    public const int RelearnIntervals = 100;

    /// <summary>The same at the floor, where requests may have become slower by themselves: 2 s.</summary>
    public const int RelearnIntervalsAtFloor = 20;

    /// <summary>Learning lasts so many intervals at most: beyond, requests are too few, or copies do not end.</summary>
    public const int LongestLearning = 5;

    /// <summary>It learns in one of so many intervals at most.</summary>
    private const int LearningShare = 20;

    /// <summary>What requests may take longer in any case, in nanoseconds: less is noise.</summary>
    public const long SlackNs = 250_000;

    /// <summary>So many requests in an interval show what the slowest take.</summary>
    public const int RequestsWithTail = 128;

    /// <summary>The slowest are one in so many.</summary>
    private const int TailShare = 64;

    /// <summary>Beyond this, in bytes per second, the rate means nothing any more.</summary>
    private const long Unbounded = 1L << 40;

    private readonly long _floor;
    private readonly long _ceiling;
    private readonly LatencyTail? _tail;
    private double _allowance;
    private long _allowanceAtNs;
    private long _nextDecisionNs;
    private long _latencySumNs;
    private int _finished;
    private long _startedBytes;
    private int _busyIntervals;
    private long _undisturbedTailNs;

    // While it learns: since when (-1: copies are still under way), and for how many intervals it has, or did last.
    private bool _isLearning;
    private long _learnsFromNs;
    private int _learnIntervals;

    // Less than what was felt last, growing slowly; and what requests took without copies by then.
    private long _most;
    private long _feltWithNs;

    /// <param name="floorBytesPerSecond">Not slower than this but while it learns; 0: not adaptive.</param>
    /// <param name="ceilingBytesPerSecond">Never faster than this; 0: no ceiling.</param>
    public ResyncRate(long floorBytesPerSecond, long ceilingBytesPerSecond)
    {
        _ceiling = ceilingBytesPerSecond <= 0 ? Unbounded : ceilingBytesPerSecond;
        _floor = Math.Min(floorBytesPerSecond, _ceiling);
        BytesPerSecond = IsAdaptive ? _floor : _ceiling;
        _most = _ceiling;
        _tail = IsAdaptive ? new LatencyTail() : null;
    }

    /// <summary>It yields to clients' requests.</summary>
    public bool IsAdaptive => _floor > 0;

    /// <summary>Not always is one more copy allowed.</summary>
    public bool IsLimited => IsAdaptive || _ceiling != Unbounded;

    /// <summary>Present rate; a ceiling that is not there counts as 1 TiB/s.</summary>
    public long BytesPerSecond { get; private set; }

    /// <summary>What requests take without copies, in nanoseconds; 0 while not known.</summary>
    public long UndisturbedNs { get; private set; }

    /// <summary>A resync begins.</summary>
    public void Begin(long nowNs)
    {
        _allowance = 0;
        _allowanceAtNs = nowNs;
        _nextDecisionNs = nowNs + IntervalNs;
        Forget();
        BytesPerSecond = IsAdaptive ? _floor : _ceiling;
        UndisturbedNs = 0;
        _undisturbedTailNs = 0;
        _most = _ceiling;
        _feltWithNs = 0;
        _busyIntervals = 0;
        _isLearning = false;
        _learnIntervals = 0;
    }

    /// <summary>A client's request was carried out, on the disk here and at the peer.</summary>
    public void Finished(long begunNs, long nowNs)
    {
        if (_isLearning && (_learnsFromNs < 0 || begunNs < _learnsFromNs))
        {
            return;
        }

        long latencyNs = nowNs - begunNs;
        _latencySumNs += latencyNs;
        _finished++;
        _tail?.Add(latencyNs);
    }

    /// <summary>
    /// One more copy may start. <paramref name="waiting"/>: clients' requests that are under way now; <paramref name="copying"/>:
    /// copies and flushes of them that are.
    /// </summary>
    public bool Allows(long nowNs, int waiting, int copying)
    {
        if (!IsLimited)
        {
            return true;
        }

        // Saved up at most: a second of a fixed rate, two decisions of one that is to yield; of the floor while it learns.
        long rate = _isLearning ? _floor : BytesPerSecond;
        double longest = rate * (IsAdaptive ? 2 * IntervalNs / 1e9 : 1);
        _allowance = Math.Min(_allowance + (nowNs - _allowanceAtNs) / 1e9 * rate, longest);
        _allowanceAtNs = nowNs;
        if (_isLearning && _learnsFromNs < 0 && copying == 0)
        {
            _learnsFromNs = nowNs;
            _nextDecisionNs = nowNs + IntervalNs;
        }
        else if (_isLearning && copying > 0)
        {
            // Still under way, or what was copied is flushed only now.
            _learnsFromNs = -1;
            Forget();
        }

        if (IsAdaptive && nowNs >= _nextDecisionNs)
        {
            Decide(nowNs, waiting);
        }

        return _allowance > 0 && !_isLearning;
    }

    /// <summary>A copy started.</summary>
    public void Started(long lengthBytes)
    {
        _allowance -= lengthBytes;
        _startedBytes += lengthBytes;
    }

    private void Decide(long nowNs, int waiting)
    {
        bool isUsed = _startedBytes * 2 >= BytesPerSecond * (IntervalNs / 1e9);
        long tailNs = _finished < RequestsWithTail ? 0 : _tail!.SlowestNs(_finished / TailShare);
        if (_isLearning)
        {
            _learnIntervals++;
            if (_finished > 0)
            {
                Learn(_latencySumNs / _finished, tailNs);
            }

            _isLearning = _finished == 0 && _learnIntervals < LongestLearning;
        }
        else if (_finished == 0)
        {
            // Nothing wanted, or nothing got through.
            _most = _ceiling;
            Set(waiting > 0 ? BytesPerSecond / 2 : isUsed ? BytesPerSecond * 2 : BytesPerSecond);
        }
        else
        {
            DecideByLatency(_latencySumNs / _finished, tailNs, isUsed);
            BeginLearningIfDue();
        }

        _nextDecisionNs = nowNs + IntervalNs;
        Forget();
    }

    private void BeginLearningIfDue()
    {
        int until = BytesPerSecond == _floor ? RelearnIntervalsAtFloor : RelearnIntervals;
        if (_floor < _ceiling && (_learnIntervals == 0 || ++_busyIntervals >= Math.Max(until, LearningShare * _learnIntervals)))
        {
            _busyIntervals = 0;
            _isLearning = true;
            _learnIntervals = 0;
            _learnsFromNs = -1;
        }
    }

    private void Learn(long latencyNs, long tailNs)
    {
        UndisturbedNs = Learned(UndisturbedNs, latencyNs);
        _undisturbedTailNs = tailNs == 0 ? _undisturbedTailNs : Learned(_undisturbedTailNs, tailNs);
        if (UndisturbedNs > _feltWithNs + _feltWithNs / 4)
        {
            // Requests take longer by themselves now: what was felt may have been that.
            _most = _ceiling;
        }
    }

    private void DecideByLatency(long latencyNs, long tailNs, bool isUsed)
    {
        if (UndisturbedNs == 0)
        {
            Set(_floor);
            return;
        }

        // The rate swings about where this begins to be true: less than twice as long, so that twice is seldom.
        bool isTailLonger = _undisturbedTailNs > 0
            && tailNs > Math.Max(_undisturbedTailNs * 7 / 4, _undisturbedTailNs + SlackNs);
        if (isTailLonger || latencyNs > Math.Max(2 * UndisturbedNs, UndisturbedNs + SlackNs))
        {
            if (BytesPerSecond > _floor)
            {
                _most = Math.Max(_floor, Math.Min(_most, BytesPerSecond) / 100 * 85);
                _feltWithNs = UndisturbedNs;
            }

            Set(BytesPerSecond / 2);
        }
        else
        {
            _most = Math.Min(_ceiling, _most + _most / 100 + 1);
            if (isUsed)
            {
                // One that is not reached is not raised: it would have to come down a long way to be felt.
                Set(Math.Min(BytesPerSecond + BytesPerSecond / 4 + 1, _most));
            }
        }
    }

    // Something else may have been in the way as well: less is believed sooner than more.
    private static long Learned(long knownNs, long nowNs) =>
        knownNs == 0 ? nowNs : nowNs < knownNs ? (knownNs + nowNs) / 2 : (3 * knownNs + nowNs) / 4;

    private void Set(long bytesPerSecond) => BytesPerSecond = Math.Clamp(bytesPerSecond, _floor, _ceiling);

    private void Forget()
    {
        _latencySumNs = 0;
        _finished = 0;
        _startedBytes = 0;
        _tail?.Clear();
    }
}
