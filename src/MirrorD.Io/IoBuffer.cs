using System.Runtime.InteropServices;

namespace MirrorD.Io;

/// <summary>
/// A fixed piece of unmanaged memory, aligned to 4096 bytes, that a disk or socket may read and write directly
/// (O_DIRECT wants the alignment, the kernel wants memory that the collector never moves).
/// </summary>
public sealed unsafe class IoBuffer : IDisposable
{
    /// <summary>Alignment of <see cref="Address"/>, in bytes.</summary>
    public const int AlignmentBytes = 4096;

    private void* _memory;

    /// <summary>Allocates zeroed memory.</summary>
    /// <param name="lengthBytes">More than zero.</param>
    public IoBuffer(int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        _memory = NativeMemory.AlignedAlloc((nuint)lengthBytes, AlignmentBytes);
        LengthBytes = lengthBytes;
        GC.AddMemoryPressure(lengthBytes);
        Span.Clear();
    }

    /// <summary>
    /// An owner that ends without disposing (a resource that failed to start, a simulated process that is killed)
    /// gives its memory back all the same. Whoever still uses the memory holds this object.
    /// </summary>
    ~IoBuffer() => Free();

    /// <summary>Usable length in bytes.</summary>
    public int LengthBytes { get; }

    /// <summary>Address of the first byte, a multiple of <see cref="AlignmentBytes"/>.</summary>
    public nint Address => (nint)_memory;

    /// <summary>The whole buffer.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory == null, this);
            return new Span<byte>(_memory, LengthBytes);
        }
    }

    /// <summary>A part of the buffer.</summary>
    public BufferSlice Slice(int offsetBytes, int lengthBytes) => new(this, offsetBytes, lengthBytes);

    /// <summary>Frees the memory. No operation may be pending on it.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_memory != null)
        {
            NativeMemory.AlignedFree(_memory);
            _memory = null;
            GC.RemoveMemoryPressure(LengthBytes);
        }
    }
}
