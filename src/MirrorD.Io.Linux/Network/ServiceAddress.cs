using System.Net;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Adds and removes the addresses that clients use, by rtnetlink (rtnetlink(7)). Both are idempotent, so that
/// a step of a takeover or release can be repeated. The kernel tells no neighbour of an added address: see
/// <see cref="ArpAnnouncer"/>.
/// </summary>
public static unsafe class ServiceAddress
{
    /// <summary>
    /// Adds the address, v6 without duplicate address detection. False: the interface has it already.
    /// </summary>
    /// <exception cref="IOException">It can't be added; the message names cause and remedy.</exception>
    public static bool Add(InterfaceAddress address)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(address.PrefixLengthBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(address.PrefixLengthBits, 8 * Bytes(address).Length);
        const ushort flags = Netlink.NLM_F_CREATE | Netlink.NLM_F_EXCL;
        NetlinkMessage message = Message(Rtnetlink.RTM_NEWADDR, flags, address);
        if (KernelAddress.Family(address.Address) == Socket.AF_INET6)
        {
            message.Attribute(IfAddr.IFA_FLAGS, IfAddr.IFA_F_NODAD);
        }

        using var socket = new NetlinkSocket(Netlink.NETLINK_ROUTE);
        int result = socket.Execute(message);
        return result switch
        {
            0 => true,
            -Errno.EEXIST => false,
            _ => throw Refused($"Cannot add {address}", -result),
        };
    }

    /// <summary>
    /// Removes the address from the interface, whatever the length of its prefix. False: it was not there.
    /// </summary>
    /// <exception cref="IOException">It can't be removed; the message names cause and remedy.</exception>
    public static bool Remove(string interfaceName, IPAddress address)
    {
        using var socket = new NetlinkSocket(Netlink.NETLINK_ROUTE);
        bool isRemoved = false;
        foreach (InterfaceAddress found in List(socket))
        {
            if (found.Interface == interfaceName && found.Address.Equals(address))
            {
                int result = socket.Execute(Message(Rtnetlink.RTM_DELADDR, 0, found));
                if (result is not (0 or -Errno.EADDRNOTAVAIL))
                {
                    throw Refused($"Cannot remove {found}", -result);
                }

                isRemoved = true;
            }
        }

        return isRemoved;
    }

    /// <summary>All addresses of all interfaces of this network namespace.</summary>
    public static IReadOnlyList<InterfaceAddress> List()
    {
        using var socket = new NetlinkSocket(Netlink.NETLINK_ROUTE);
        return List(socket);
    }

    private static List<InterfaceAddress> List(NetlinkSocket socket)
    {
        List<InterfaceAddress> addresses = [];
        socket.Dump(new NetlinkMessage(Rtnetlink.RTM_GETADDR, 0).Append(default(ifaddrmsg)), (type, body) =>
        {
            if (type == Rtnetlink.RTM_NEWADDR && Parse(body) is { } address)
            {
                addresses.Add(address);
            }
        });
        return addresses;
    }

    private static InterfaceAddress? Parse(ReadOnlySpan<byte> body)
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
        return bytes.Length is 4 or 16 && NetworkDevice.NameOf(header.ifa_index) is { } name
            ? new InterfaceAddress(name, new IPAddress(bytes), header.ifa_prefixlen)
            : null;
    }

    private static NetlinkMessage Message(ushort type, ushort flags, InterfaceAddress address)
    {
        byte[] bytes = Bytes(address);
        return new NetlinkMessage(type, flags)
            .Append(new ifaddrmsg
            {
                ifa_family = (byte)KernelAddress.Family(address.Address),
                ifa_prefixlen = (byte)address.PrefixLengthBits,
                ifa_scope = Rtnetlink.RT_SCOPE_UNIVERSE,
                ifa_index = (uint)NetworkDevice.IndexOf(address.Interface),
            })
            .Attribute(IfAddr.IFA_LOCAL, bytes)
            .Attribute(IfAddr.IFA_ADDRESS, bytes);
    }

    private static byte[] Bytes(InterfaceAddress address) => address.Address.GetAddressBytes();

    private static IOException Refused(string what, int errno) => new(
        $"{what}: {LinuxError.Text(errno)}." + errno switch
        {
            Errno.EPERM or Errno.EACCES => " It needs the capability CAP_NET_ADMIN: run as root or grant it.",
            Errno.EINVAL => " The prefix does not fit the address, or IPv6 is off on the interface.",
            LinuxError.ENODEV => " The interface has gone.",
            Errno.EOPNOTSUPP => " The kernel has no support for addresses of this family.",
            _ => "",
        },
        errno);
}
