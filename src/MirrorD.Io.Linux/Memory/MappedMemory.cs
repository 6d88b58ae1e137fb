using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Memory;

/// <summary>
/// Memory that is mapped by itself (mmap(2)), for large pieces that come and go with the load: the system has it back as soon as it
/// is given back. An allocator's heap would keep it, locked.
/// </summary>
public sealed unsafe class MappedMemory : IMemorySource
{
    private MappedMemory()
    {
    }

    /// <summary>The system's memory.</summary>
    public static MappedMemory Instance { get; } = new();

    /// <inheritdoc/>
    public nint Take(int lengthBytes)
    {
        void* memory = Mman.mmap(
            null, (nuint)lengthBytes, Mman.PROT_READ | Mman.PROT_WRITE, Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS, fd: -1, 0);
        return memory != Mman.Failed
            ? (nint)memory
            : throw new OutOfMemoryException($"{lengthBytes} bytes can't be mapped: {LinuxError.Text(LinuxError.Last)}.");
    }

    /// <inheritdoc/>
    public void Give(nint address, int lengthBytes) => _ = Mman.munmap((void*)address, (nuint)lengthBytes);
}
