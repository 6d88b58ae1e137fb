using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Memory of the heap, counted.</summary>
internal sealed class CountedMemory : IMemorySource
{
    /// <summary>Pieces that were taken and not given back.</summary>
    public int Taken { get; private set; }

    public nint Take(int lengthBytes)
    {
        Taken++;
        return HeapMemory.Instance.Take(lengthBytes);
    }

    public void Give(nint address, int lengthBytes)
    {
        Taken--;
        HeapMemory.Instance.Give(address, lengthBytes);
    }
}
