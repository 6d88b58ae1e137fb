namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/if_arp.h.</summary>
[CHeader("sys/socket.h", "linux/if_arp.h")]
internal static class IfArp
{
    public const ushort ARPHRD_ETHER = 1;
    public const ushort ARPOP_REQUEST = 1;
    public const ushort ARPOP_REPLY = 2;
}
