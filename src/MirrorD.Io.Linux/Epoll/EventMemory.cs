using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Epoll;

/// <summary>Room for events of epoll_wait(2); on x86-64 the kernel packs them, elsewhere they are aligned.</summary>
internal sealed unsafe class EventMemory : IDisposable
{
    /// <summary>How many one wait brings at most.</summary>
    public const int Count = 64;

    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int DataOffset = IsPacked ? 4 : 8;
    private static readonly int EventBytes = DataOffset + sizeof(ulong);

    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed(Count, (nuint)EventBytes);

    /// <summary>Waits; the number of events, or a negative errno.</summary>
    public int Wait(int set, int timeoutMs)
    {
        int count = EpollCalls.epoll_wait(set, _events, Count, timeoutMs);
        return count >= 0 ? count : -LinuxError.Last;
    }

    /// <summary>What an event says, and the data that its descriptor was added with.</summary>
    public uint Get(int index, out ulong data)
    {
        byte* at = _events + (index * EventBytes);
        data = *(ulong*)(at + DataOffset);
        return *(uint*)at;
    }

    /// <summary>Adds a descriptor, edge triggered. Returns 0 or a negative errno.</summary>
    public static int Add(int set, int fd, uint events, ulong data)
    {
        byte* registration = stackalloc byte[16];
        *(uint*)registration = events | EpollCalls.EPOLLET;
        *(ulong*)(registration + DataOffset) = data;
        return EpollCalls.epoll_ctl(set, EpollCalls.EPOLL_CTL_ADD, fd, registration) == 0 ? 0 : -LinuxError.Last;
    }

    public void Dispose() => NativeMemory.Free(_events);
}
