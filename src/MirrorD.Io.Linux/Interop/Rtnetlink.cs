using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/rtnetlink.h.</summary>
[CHeader("linux/rtnetlink.h")]
internal static class Rtnetlink
{
    public const ushort RTM_NEWADDR = 20;
    public const ushort RTM_DELADDR = 21;
    public const ushort RTM_GETADDR = 22;
    public const byte RT_SCOPE_UNIVERSE = 0;
}

[CHeader("linux/rtnetlink.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct rtattr
{
    public ushort rta_len;
    public ushort rta_type;
}
