namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/if_ether.h.</summary>
[CHeader("linux/if_ether.h")]
internal static class IfEther
{
    public const int ETH_ALEN = 6;
    public const int ETH_HLEN = 14;
    public const ushort ETH_P_IP = 0x0800;
    public const ushort ETH_P_ARP = 0x0806;
    public const ushort ETH_P_IPV6 = 0x86DD;
}
