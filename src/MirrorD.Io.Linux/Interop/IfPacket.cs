using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/if_packet.h: raw sockets.</summary>
[CHeader("sys/socket.h", "linux/if_packet.h")]
internal static class IfPacket
{
    public const int SOL_PACKET = 263;
    public const int PACKET_ADD_MEMBERSHIP = 1;
    public const ushort PACKET_MR_MULTICAST = 0;
}

/// <summary>Address of a raw socket.</summary>
[CHeader("linux/if_packet.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sockaddr_ll
{
    public ushort sll_family;
    public ushort sll_protocol;
    public int sll_ifindex;
    public ushort sll_hatype;
    public byte sll_pkttype;
    public byte sll_halen;
    public fixed byte sll_addr[8];
}

/// <summary>A group of Ethernet addresses that the interface shall receive.</summary>
[CHeader("linux/if_packet.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct packet_mreq
{
    public int mr_ifindex;
    public ushort mr_type;
    public ushort mr_alen;
    public fixed byte mr_address[8];
}
