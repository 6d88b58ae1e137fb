namespace MirrorD.Io;

/// <summary>
/// The memory behind an <see cref="IoBuffer"/>. It lives as long as somebody holds it: an owner that ends without
/// disposing (a resource that failed to start, a simulated process that is killed) gives it back all the same.
/// </summary>
public sealed unsafe class IoMemory
{
    private readonly IMemorySource _source;
    private bool _isLeft;

    internal IoMemory(int lengthBytes, IMemorySource source)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        _source = source;
        LengthBytes = lengthBytes;
        Address = source.Take(lengthBytes);
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
            ObjectDisposedException.ThrowIf(Address == 0, this);
            return new Span<byte>((void*)Address, LengthBytes);
        }
    }

    internal nint Address { get; private set; }

    /// <summary>
    /// As much again, from where this one is, which is left to whoever still holds it. The collector has to know of that:
    /// nobody frees it but its finalizer.
    /// </summary>
    internal IoMemory Successor()
    {
        var successor = new IoMemory(LengthBytes, _source);
        _isLeft = true;
        GC.AddMemoryPressure(LengthBytes);
        return successor;
    }

    internal void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Address != 0)
        {
            _source.Give(Address, LengthBytes);
            Address = 0;
            if (_isLeft)
            {
                GC.RemoveMemoryPressure(LengthBytes);
            }
        }
    }
}
