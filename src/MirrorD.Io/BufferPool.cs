namespace MirrorD.Io;

/// <summary>
/// A fixed number of equal slots: <see cref="HeadroomBytes"/> for protocol headers, then
/// <see cref="DataBytes"/> of 4096-aligned data, so that header and data go out in one contiguous send.
/// Used by one loop only. Empty means backpressure: the user waits for a <see cref="Return"/>.
/// </summary>
public sealed class BufferPool : IDisposable
{
    /// <summary>Room before the data of each slot, for the headers of every protocol that carries it.</summary>
    public const int HeadroomBytes = 4096;

    private readonly Stack<IoBuffer> _free;
    private readonly IoBuffer[] _all;
    private readonly Queue<Action> _waiting = new();

    /// <summary>Allocates all slots.</summary>
    public BufferPool(int slots, int dataBytes)
    {
        DataBytes = dataBytes;
        _all = new IoBuffer[slots];
        _free = new Stack<IoBuffer>(slots);
        for (int i = 0; i < slots; i++)
        {
            _all[i] = new IoBuffer(HeadroomBytes + dataBytes);
            _free.Push(_all[i]);
        }
    }

    /// <summary>Data bytes of a slot.</summary>
    public int DataBytes { get; }

    /// <summary>Slots that can be rented now.</summary>
    public int FreeSlots => _free.Count;

    /// <summary>Slots in all.</summary>
    public int Slots => _all.Length;

    /// <summary>Takes a slot; false when none is free.</summary>
    public bool TryRent([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IoBuffer? buffer) =>
        _free.TryPop(out buffer);

    /// <summary>Gives a slot back. Each rented slot is returned exactly once.</summary>
    public void Return(IoBuffer buffer)
    {
        if (_free.Count == _all.Length)
        {
            throw new InvalidOperationException("A slot was returned twice.");
        }

        _free.Push(buffer);

        // Whoever is told may return slots himself, and so tell those who are behind him.
        for (int told = _waiting.Count; told > 0 && _waiting.TryDequeue(out Action? resume); told--)
        {
            resume();
        }
    }

    /// <summary>
    /// Registers somebody to be told by the next <see cref="Return"/>, inside it, in the order of registration;
    /// one-shot. All who wait are told, so that one who can't use the slot never keeps it from the others.
    /// </summary>
    public void WhenReturned(Action resume) => _waiting.Enqueue(resume);

    /// <summary>Frees the memory of all slots.</summary>
    public void Dispose()
    {
        foreach (IoBuffer buffer in _all)
        {
            buffer.Dispose();
        }
    }
}
