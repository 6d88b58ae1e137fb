using System.Runtime.InteropServices;

namespace MirrorD.Io;

/// <summary>
/// Memory of the allocator of C. It may keep what is given back for those that ask next: right for what is made again and
/// again, so that nobody waits for the system's memory.
/// </summary>
public sealed unsafe class HeapMemory : IMemorySource
{
    private HeapMemory()
    {
    }

    /// <summary>The heap.</summary>
    public static HeapMemory Instance { get; } = new();

    /// <inheritdoc/>
    public nint Take(int lengthBytes)
    {
        void* memory = NativeMemory.AlignedAlloc((nuint)lengthBytes, IoBuffer.AlignmentBytes);
        GC.AddMemoryPressure(lengthBytes);
        return (nint)memory;
    }

    /// <inheritdoc/>
    public void Give(nint address, int lengthBytes)
    {
        NativeMemory.AlignedFree((void*)address);
        GC.RemoveMemoryPressure(lengthBytes);
    }
}
