using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>netinet/in.h.</summary>
[CHeader("netinet/in.h")]
internal static class NetinetIn
{
    public const int IPPROTO_TCP = 6;
    public const int IPPROTO_IPV6 = 41;
    public const byte IPPROTO_ICMPV6 = 58;
    public const int IPPROTO_IP = 0;
    public const int IPV6_V6ONLY = 26;
    public const int IP_FREEBIND = 15;
    public const int IPV6_FREEBIND = 78;
}

[CHeader("netinet/in.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sockaddr_in
{
    public ushort sin_family;
    public ushort sin_port;
    public uint sin_addr;
    public fixed byte sin_zero[8];
}

[CHeader("netinet/in.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sockaddr_in6
{
    public ushort sin6_family;
    public ushort sin6_port;
    public uint sin6_flowinfo;
    public fixed byte sin6_addr[16];
    public uint sin6_scope_id;
}
