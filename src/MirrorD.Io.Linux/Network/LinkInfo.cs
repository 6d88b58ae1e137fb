using System.Runtime.InteropServices;
using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>A network interface as rtnetlink describes it.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Name">Its name.</param>
/// <param name="Mac">Its address; null when it is not Ethernet.</param>
/// <param name="HasCarrier">It is up and its driver signals a carrier.</param>
internal readonly record struct LinkInfo(int Index, string Name, EthernetAddress? Mac, bool HasCarrier)
{
    /// <summary>Takes the body of a RTM_NEWLINK or RTM_DELLINK apart.</summary>
    /// <returns>Null when it is about something else than the interface itself, e.g. its bridge.</returns>
    public static unsafe LinkInfo? Parse(ReadOnlySpan<byte> body)
    {
        if (!MemoryMarshal.TryRead(body, out ifinfomsg header) || header.ifi_family != Socket.AF_UNSPEC)
        {
            return null;
        }

        ReadOnlySpan<byte> attributes = body[sizeof(ifinfomsg)..];
        ReadOnlySpan<byte> mac = NetlinkMessage.FindAttribute(attributes, IfLink.IFLA_ADDRESS);
        ReadOnlySpan<byte> name = NetlinkMessage.FindAttribute(attributes, IfLink.IFLA_IFNAME);
        return new LinkInfo(
            header.ifi_index,
            Encoding.UTF8.GetString(name.TrimEnd((byte)0)),
            header.ifi_type == IfArp.ARPHRD_ETHER && mac.Length == IfEther.ETH_ALEN
                ? EthernetAddress.Read(mac)
                : null,
            (header.ifi_flags & IfFlags.IFF_LOWER_UP) != 0);
    }

    /// <summary>All interfaces of this network namespace.</summary>
    public static List<LinkInfo> List()
    {
        using var socket = new NetlinkSocket(Netlink.NETLINK_ROUTE);
        List<LinkInfo> links = [];
        socket.Dump(new NetlinkMessage(Rtnetlink.RTM_GETLINK, 0).Append(default(ifinfomsg)), (type, body) =>
        {
            if (type == Rtnetlink.RTM_NEWLINK && Parse(body) is { } link)
            {
                links.Add(link);
            }
        });
        return links;
    }
}
