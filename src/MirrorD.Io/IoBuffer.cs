namespace MirrorD.Io;

/// <summary>
/// A fixed piece of unmanaged memory, aligned to 4096 bytes, that a disk or socket may read and write directly
/// (O_DIRECT wants the alignment, the kernel wants memory that the collector never moves).
/// </summary>
public sealed class IoBuffer : IDisposable
{
    /// <summary>Alignment of <see cref="Address"/>, in bytes.</summary>
    public const int AlignmentBytes = 4096;

    /// <summary>Allocates zeroed memory.</summary>
    /// <param name="lengthBytes">More than zero.</param>
    /// <param name="source">Where it comes from; the heap when null.</param>
    public IoBuffer(int lengthBytes, IMemorySource? source = null)
    {
        Memory = new IoMemory(lengthBytes, source ?? HeapMemory.Instance);
        Span.Clear();
    }

    /// <summary>What is behind it now. Whoever uses the memory after the call holds this object.</summary>
    public IoMemory Memory { get; private set; }

    /// <summary>Usable length in bytes.</summary>
    public int LengthBytes => Memory.LengthBytes;

    /// <summary>Address of the first byte, a multiple of <see cref="AlignmentBytes"/>.</summary>
    public nint Address => Memory.Address;

    /// <summary>The whole buffer.</summary>
    public Span<byte> Span => Memory.Span;

    /// <summary>A part of the buffer.</summary>
    public BufferSlice Slice(int offsetBytes, int lengthBytes) => new(this, offsetBytes, lengthBytes);

    /// <summary>
    /// Goes on with other memory of the same contents: for an operation that is given up although the kernel may still read
    /// from the former memory, or write to it. That lives until the last operation that was submitted with it has ended: a
    /// loop holds the memory of what is pending.
    /// </summary>
    public void ReplaceMemory()
    {
        IoMemory former = Memory;
        IoMemory fresh = former.Successor();
        former.Span.CopyTo(fresh.Span);
        Memory = fresh;
    }

    /// <summary>Frees the memory. No operation may be pending on it.</summary>
    public void Dispose() => Memory.Dispose();
}
