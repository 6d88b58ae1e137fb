using System.Net;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>An address of an interface as rtnetlink describes it.</summary>
internal readonly record struct AddressInfo(int InterfaceIndex, IPAddress Address, int PrefixLengthBits)
{
    /// <summary>Takes the body of a RTM_NEWADDR or RTM_DELADDR apart.</summary>
    public static unsafe AddressInfo? Parse(ReadOnlySpan<byte> body)
    {
        if (!MemoryMarshal.TryRead(body, out ifaddrmsg header))
        {
            return null;
        }

        // LOCAL is the interface's own address, ADDRESS the other end's on point-to-point links; v6 may omit
        // LOCAL.
        ReadOnlySpan<byte> attributes = body[sizeof(ifaddrmsg)..];
        ReadOnlySpan<byte> bytes = NetlinkMessage.FindAttribute(attributes, IfAddr.IFA_LOCAL);
        bytes = bytes.IsEmpty ? NetlinkMessage.FindAttribute(attributes, IfAddr.IFA_ADDRESS) : bytes;
        return bytes.Length is 4 or 16
            ? new AddressInfo((int)header.ifa_index, new IPAddress(bytes), header.ifa_prefixlen)
            : null;
    }

    /// <summary>All addresses of all interfaces of this network namespace.</summary>
    public static List<AddressInfo> List(NetlinkSocket socket)
    {
        List<AddressInfo> addresses = [];
        socket.Dump(new NetlinkMessage(Rtnetlink.RTM_GETADDR, 0).Append(default(ifaddrmsg)), (type, body) =>
        {
            if (type == Rtnetlink.RTM_NEWADDR && Parse(body) is { } address)
            {
                addresses.Add(address);
            }
        });
        return addresses;
    }
}
