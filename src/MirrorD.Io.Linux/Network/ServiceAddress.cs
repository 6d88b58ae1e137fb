using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Adds and removes the addresses that clients use, v4 and v6, by rtnetlink (rtnetlink(7)). Both are
/// idempotent, so that a step of a takeover or release can be repeated. The kernel tells no neighbour of an
/// added address: see <see cref="AddressAnnouncer"/>.
/// </summary>
public static class ServiceAddress
{
    /// <summary>
    /// Adds the address, v6 without duplicate address detection. False: the interface has it already.
    /// </summary>
    /// <exception cref="IOException">It can't be added; the message names cause and remedy.</exception>
    public static bool Add(InterfaceAddress address)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(address.PrefixLengthBits);
        int lengthBits = 8 * address.Address.GetAddressBytes().Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(address.PrefixLengthBits, lengthBits);
        const ushort flags = Netlink.NLM_F_CREATE | Netlink.NLM_F_EXCL;
        int index = NetworkDevice.IndexOf(address.Interface);
        var info = new AddressInfo(index, address.Address, address.PrefixLengthBits);
        NetlinkMessage message = Message(Rtnetlink.RTM_NEWADDR, flags, info);
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
            _ => throw Refused($"Cannot add {address}", address.Interface, -result),
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
        foreach (AddressInfo found in AddressInfo.List(socket))
        {
            if (found.Address.Equals(address) && NetworkDevice.NameOf(found.InterfaceIndex) == interfaceName)
            {
                int result = socket.Execute(Message(Rtnetlink.RTM_DELADDR, 0, found));
                // Meanwhile the address went by itself, or the whole interface did.
                if (result is not (0 or -Errno.EADDRNOTAVAIL or -LinuxError.ENODEV))
                {
                    throw Refused($"Cannot remove {address} from {interfaceName}", interfaceName, -result);
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
        List<InterfaceAddress> named = [];
        foreach (AddressInfo found in AddressInfo.List(socket))
        {
            if (NetworkDevice.NameOf(found.InterfaceIndex) is { } name)
            {
                named.Add(new InterfaceAddress(name, found.Address, found.PrefixLengthBits));
            }
        }

        return named;
    }

    private static NetlinkMessage Message(ushort type, ushort flags, AddressInfo address)
    {
        byte[] bytes = address.Address.GetAddressBytes();
        return new NetlinkMessage(type, flags)
            .Append(new ifaddrmsg
            {
                ifa_family = (byte)KernelAddress.Family(address.Address),
                ifa_prefixlen = (byte)address.PrefixLengthBits,
                ifa_scope = Rtnetlink.RT_SCOPE_UNIVERSE,
                ifa_index = (uint)address.InterfaceIndex,
            })
            .Attribute(IfAddr.IFA_LOCAL, bytes)
            .Attribute(IfAddr.IFA_ADDRESS, bytes);
    }

    private static IOException Refused(string what, string interfaceName, int errno) => new(
        $"{what}: {LinuxError.Text(errno)}." + errno switch
        {
            Errno.EPERM => " It needs the capability CAP_NET_ADMIN: run as root or grant it.",
            Errno.EACCES =>
                $" IPv6 is off on the interface: 'sysctl net.ipv6.conf.{interfaceName}.disable_ipv6=0'.",
            Errno.EINVAL => " The prefix does not fit the address, or the interface's MTU is too small for it.",
            LinuxError.ENODEV => " The interface has gone.",
            Errno.EOPNOTSUPP => " The kernel has no support for addresses of this family.",
            _ => "",
        },
        errno);
}
