using System.Diagnostics.CodeAnalysis;

namespace MirrorD.Io;

/// <summary>
/// A number of equal slots: <see cref="HeadroomBytes"/> for protocol headers, then
/// <see cref="DataBytes"/> of 4096-aligned data, so that header and data go out in one contiguous send.
/// Used by one loop only. Empty means backpressure: the user waits for a <see cref="Return"/>.
/// </summary>
public sealed class BufferPool : IDisposable
{
    /// <summary>Room before the data of each slot, for the headers of every protocol that carries it.</summary>
    public const int HeadroomBytes = 4096;

    private readonly Stack<IoBuffer> _free;
    private readonly HashSet<IoBuffer> _made;
    private readonly int _ready;
    private readonly Queue<Action> _waiting = new();
    private readonly Action<Func<Action>>? _elsewhere;
    private readonly IMemorySource? _source;
    private int _mostUsed;
    private bool _isGrowing;
    private bool _isDisposed;

    /// <summary>Allocates all slots.</summary>
    public BufferPool(int slots, int dataBytes)
        : this(slots, dataBytes, slots, elsewhere: null, source: null)
    {
    }

    /// <summary>
    /// Allocates some slots, and more when most of these are in use: what never needs them never takes their memory. The
    /// loop does not wait for memory: as long as there is none, it goes on with the slots that it has.
    /// </summary>
    /// <param name="slots">Most slots.</param>
    /// <param name="dataBytes">Data bytes of a slot.</param>
    /// <param name="ready">Slots that are there from the beginning; at least one.</param>
    /// <param name="elsewhere">Does something on another thread, and then on the loop what that gives.</param>
    /// <param name="source">Where the memory comes from; the heap when null.</param>
    public BufferPool(int slots, int dataBytes, int ready, Action<Func<Action>>? elsewhere, IMemorySource? source)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ready, 1);
        DataBytes = dataBytes;
        Slots = slots;
        _elsewhere = elsewhere;
        _source = source;
        _ready = int.Min(ready, slots);
        _made = new HashSet<IoBuffer>(slots);
        _free = new Stack<IoBuffer>(slots);
        Add(Make(_ready));
    }

    /// <summary>Data bytes of a slot.</summary>
    public int DataBytes { get; }

    /// <summary>Slots that nobody has, among them those that still have to be made.</summary>
    public int FreeSlots => _free.Count + Slots - _made.Count;

    /// <summary>Slots in all.</summary>
    public int Slots { get; }

    private int UsedSlots => _made.Count - _free.Count;

    /// <summary>Takes a slot; false when none is free, or none is made yet.</summary>
    public bool TryRent([NotNullWhen(true)] out IoBuffer? buffer)
    {
        bool isRented = _free.TryPop(out buffer);
        _mostUsed = int.Max(_mostUsed, UsedSlots);
        if (_free.Count < _made.Count / 4 + 1 && _made.Count < Slots && !_isGrowing)
        {
            Grow();
        }

        return isRented;
    }

    /// <summary>Gives a slot back. Each rented slot is returned exactly once.</summary>
    public void Return(IoBuffer buffer)
    {
        if (_free.Count == _made.Count)
        {
            throw new InvalidOperationException("A slot was returned twice.");
        }

        _free.Push(buffer);
        Tell();
    }

    /// <summary>
    /// Registers somebody to be told by the next <see cref="Return"/>, inside it, in the order of registration;
    /// one-shot. All who wait are told, so that one who can't use the slot never keeps it from the others.
    /// </summary>
    public void WhenReturned(Action resume) => _waiting.Enqueue(resume);

    /// <summary>
    /// Gives memory back that was not needed since the last call, when that is most of it: twice as many slots stay as were
    /// in use at once, and those that are there from the beginning.
    /// </summary>
    public void Trim()
    {
        int spare = _made.Count - int.Max(_ready, 2 * _mostUsed);
        _mostUsed = UsedSlots;
        if (spare <= 0 || spare < _made.Count / 2 || _isGrowing)
        {
            return;
        }

        var given = new IoBuffer[spare];
        for (int i = 0; i < spare; i++)
        {
            given[i] = _free.Pop();
            _made.Remove(given[i]);
        }

        _elsewhere!(() =>
        {
            Array.ForEach(given, buffer => buffer.Dispose());
            return () => { };
        });
    }

    /// <summary>Frees the memory of all slots.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (IoBuffer buffer in _made)
        {
            buffer.Dispose();
        }
    }

    // As many again as there are.
    private void Grow()
    {
        _isGrowing = true;
        int count = int.Min(_made.Count, Slots - _made.Count);
        _elsewhere!(() =>
        {
            IoBuffer[] made = Make(count);
            return () => Grown(made);
        });
    }

    private void Grown(IoBuffer[] made)
    {
        _isGrowing = false;
        if (_isDisposed)
        {
            Array.ForEach(made, buffer => buffer.Dispose());
            return;
        }

        Add(made);
        Tell();
    }

    private IoBuffer[] Make(int count)
    {
        var made = new List<IoBuffer>(count);
        try
        {
            while (made.Count < count)
            {
                made.Add(new IoBuffer(HeadroomBytes + DataBytes, _source));
            }
        }
        catch (OutOfMemoryException) when (_made.Count > 0)
        {
            // It goes on with what it has, and tries again when that is short.
        }

        return [.. made];
    }

    private void Add(IoBuffer[] made)
    {
        foreach (IoBuffer buffer in made)
        {
            _made.Add(buffer);
            _free.Push(buffer);
        }
    }

    private void Tell()
    {
        // Whoever is told may return slots himself, and so tell those who are behind him.
        for (int told = _waiting.Count; told > 0 && _waiting.TryDequeue(out Action? resume); told--)
        {
            resume();
        }
    }
}
