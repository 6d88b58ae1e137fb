using MirrorD.Fuzz.Coverage;

namespace MirrorD.Fuzz.Running;

/// <summary>
/// Runs a target with an input and says what came of it: edges with how often they were taken (in classes), and the failure
/// if there was one. The input stands in a file while it runs, so that it is known also when the process dies of it.
/// </summary>
public sealed class Execution : IDisposable
{
    private readonly FuzzTarget _target;
    private readonly CurrentInput? _current;
    private readonly byte[] _classes = new byte[EdgeCounters.MapEntries];
    private readonly byte[] _known = new byte[EdgeCounters.MapEntries];

    /// <param name="target">What to run.</param>
    /// <param name="current">Where the input stands while it runs; null: nowhere.</param>
    public Execution(FuzzTarget target, CurrentInput? current)
    {
        _target = target;
        _current = current;
    }

    /// <summary>Runs so far.</summary>
    public long Count { get; private set; }

    /// <summary>Edges that any input of this process has taken.</summary>
    public int Edges { get; private set; }

    /// <summary>How often each edge was taken in the last run: 0, or one bit for the class.</summary>
    public ReadOnlySpan<byte> Classes => _classes;

    /// <summary>Runs the target; null when nothing is wrong.</summary>
    public Failure? Run(byte[] input)
    {
        Failure? failure = Once(input, out long allocated);
        long most = _target.MostAllocatedBytes(input.Length);
        if (failure is null && allocated > most)
        {
            // What is made once in a process is not the input's doing.
            failure = Once(input, out allocated);
            if (failure is null && allocated > most)
            {
                return new Failure("allocation",
                    $"{input.Length} bytes of input made it allocate {allocated} bytes, more than {most}");
            }
        }

        return failure;
    }

    /// <summary>Adds the last run's edges to those known; true when one of them, or its class, was not known.</summary>
    public bool Learn()
    {
        bool isNew = false;
        for (int i = 0; i < _classes.Length; i += 8)
        {
            if (BitConverter.ToUInt64(_classes, i) == 0)
            {
                continue;
            }

            for (int edge = i; edge < i + 8; edge++)
            {
                if ((_classes[edge] & ~_known[edge]) != 0)
                {
                    Edges += _known[edge] == 0 ? 1 : 0;
                    _known[edge] |= _classes[edge];
                    isNew = true;
                }
            }
        }

        return isNew;
    }

    /// <inheritdoc/>
    public void Dispose() => _current?.Dispose();

    private Failure? Once(byte[] input, out long allocated)
    {
        Count++;
        EdgeCounters.Clear();
        _current?.Begin(input);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Failure? failure = null;
        try
        {
            _target.Run(input);
        }
        catch (Exception thrown)
        {
            failure = Failure.Of(thrown);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        _current?.End();
        Classify();
        return failure;
    }

    private void Classify()
    {
        Span<byte> edges = EdgeCounters.Edges;
        for (int i = 0; i < edges.Length; i += 8)
        {
            if (BitConverter.ToUInt64(edges[i..]) == 0)
            {
                BitConverter.TryWriteBytes(_classes.AsSpan(i), 0UL);
                continue;
            }

            for (int edge = i; edge < i + 8; edge++)
            {
                _classes[edge] = ClassOf(edges[edge]);
            }
        }
    }

    private static byte ClassOf(byte count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
