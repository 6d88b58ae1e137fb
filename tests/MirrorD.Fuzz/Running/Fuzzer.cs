using System.Diagnostics;
using MirrorD.Fuzz.Mutation;

namespace MirrorD.Fuzz.Running;

/// <summary>
/// The loop: an input is changed and run; one that takes an edge that none took before, or takes it much more often, is kept
/// and changed in its turn. The same seed and corpus give the same inputs in the same order.
/// </summary>
public sealed class Fuzzer
{
    private const int InOneGo = 256;

    private readonly FuzzTarget _target;
    private readonly Execution _execution;
    private readonly Draw _draw;
    private readonly Mutator _mutator;
    private readonly LineMutator _lines;
    private readonly List<byte[]> _kept = [];
    private readonly Dictionary<string, (byte[] Input, Failure Failure)> _failures = [];

    /// <param name="target">What to run.</param>
    /// <param name="execution">Runs it.</param>
    /// <param name="seed">Where chance comes from.</param>
    public Fuzzer(FuzzTarget target, Execution execution, ulong seed)
    {
        _target = target;
        _execution = execution;
        _draw = new Draw(seed);
        _mutator = new Mutator(_draw, target.MostBytes, target.Words, target.Fields, target.RecordBytes);
        _lines = new LineMutator(_draw, target.Words);
    }

    /// <summary>Inputs that are kept.</summary>
    public IReadOnlyList<byte[]> Kept => _kept;

    /// <summary>One input for each kind of failure.</summary>
    public IReadOnlyCollection<(byte[] Input, Failure Failure)> Failures => _failures.Values;

    /// <summary>Runs what is known already.</summary>
    public void Begin(IEnumerable<byte[]> inputs)
    {
        foreach (byte[] input in inputs)
        {
            Try(input, isKept: true);
        }

        if (_kept.Count == 0)
        {
            Try([], isKept: true);
        }
    }

    /// <summary>Goes on until the time is over, or the runs are, or a failure is found and one is enough.</summary>
    public void Run(TimeSpan time, long mostRuns = long.MaxValue, bool untilFailure = false)
    {
        var clock = Stopwatch.StartNew();
        long end = mostRuns == long.MaxValue ? mostRuns : _execution.Count + mostRuns;
        while (clock.Elapsed < time && _execution.Count < end && !(untilFailure && _failures.Count > 0))
        {
            for (int i = 0; i < InOneGo && _execution.Count < end && !(untilFailure && _failures.Count > 0); i++)
            {
                Try(Next(), isKept: false);
            }
        }
    }

    private byte[] Next()
    {
        // What was found last has been changed the least.
        int from = _draw.OneIn(2) ? 0 : _kept.Count * 3 / 4;
        byte[] one = _kept[from + _draw.Below(_kept.Count - from)];
        if (_target.IsText && _draw.OneIn(2))
        {
            // In a short text a change meets what matters more often.
            byte[] instead = _kept[_draw.Below(_kept.Count)];
            one = instead.Length > 0 && instead.Length < one.Length ? instead : one;
        }

        byte[] other = _kept[_draw.Below(_kept.Count)];
        byte[] changed = _target.IsText && !_draw.OneIn(4) ? _lines.Mutate(one, other) : _mutator.Mutate(one, other);
        changed = changed.Length <= _target.MostBytes ? changed : changed[.._target.MostBytes];
        return _draw.OneIn(16) ? changed : _target.FixUp(changed);
    }

    private void Try(byte[] input, bool isKept)
    {
        Failure? failure = _execution.Run(input);
        if (failure is not null)
        {
            _failures.TryAdd(failure.Kind, (input, failure));
        }
        else if (_execution.Learn() || isKept)
        {
            _kept.Add(input);
        }
    }
}
