namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/if_link.h: attributes of a network interface.</summary>
[CHeader("linux/if_link.h")]
internal static class IfLink
{
    public const ushort IFLA_ADDRESS = 1;
    public const ushort IFLA_IFNAME = 3;
}
