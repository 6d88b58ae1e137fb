using System.Runtime.InteropServices;

namespace MirrorD.Io;

/// <summary>
/// The memory behind an <see cref="IoBuffer"/>. It lives as long as somebody holds it: an owner that ends without
/// disposing (a resource that failed to start, a simulated process that is killed) gives it back all the same.
/// </summary>
public sealed unsafe class IoMemory
{
    private void* _memory;

    internal IoMemory(int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        _memory = NativeMemory.AlignedAlloc((nuint)lengthBytes, IoBuffer.AlignmentBytes);
        LengthBytes = lengthBytes;
        GC.AddMemoryPressure(lengthBytes);
    }

    /// <summary>Frees the memory.</summary>
    ~IoMemory() => Free();

    /// <summary>Usable length in bytes.</summary>
    public int LengthBytes { get; }

    /// <summary>All bytes.</summary>
    public Span<byte> Span
    {
        get
        {
            ObjectDisposedException.ThrowIf(_memory == null, this);
            return new Span<byte>(_memory, LengthBytes);
        }
    }

    internal nint Address => (nint)_memory;

    internal void Dispose()
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
