using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>bits/socket.h, by sys/socket.h: who connected a unix socket.</summary>
[CHeader("sys/socket.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct ucred
{
    public int pid;
    public uint uid;
    public uint gid;
}
