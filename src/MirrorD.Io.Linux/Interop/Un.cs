using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>sys/un.h.</summary>
[CHeader("sys/un.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sockaddr_un
{
    public ushort sun_family;
    public fixed byte sun_path[108];
}
