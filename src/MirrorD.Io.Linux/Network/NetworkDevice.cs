using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>A network interface of this network namespace, by its name.</summary>
public static unsafe class NetworkDevice
{
    /// <summary>Index of the interface.</summary>
    /// <exception cref="IOException">There is no such interface.</exception>
    public static int IndexOf(string name)
    {
        uint index = If.if_nametoindex(name);
        return index != 0
            ? (int)index
            : throw new IOException($"There is no network interface {name}: see 'ip link'.", LinuxError.Last);
    }

    /// <summary>It is up and its driver signals a carrier: what is sent gets somewhere.</summary>
    /// <exception cref="IOException">There is no such interface.</exception>
    public static bool HasCarrier(string name)
    {
        int index = IndexOf(name);
        return LinkInfo.List().Any(link => link.Index == index && link.HasCarrier);
    }

    /// <summary>Its Ethernet address (MAC).</summary>
    /// <exception cref="IOException">There is no such interface, or it is not Ethernet.</exception>
    public static EthernetAddress EthernetAddressOf(string name)
    {
        _ = IndexOf(name); // Refuses a name that is too long or unknown.
        ifreq request = default;
        Encoding.UTF8.GetBytes(name, new Span<byte>(request.ifr_name, If.IF_NAMESIZE - 1));
        int fd = Socket.socket(Socket.AF_INET, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            throw LinuxError.Exception("No socket to ask for network interfaces with", LinuxError.Last);
        }

        int error = Fs.ioctl(fd, If.SIOCGIFHWADDR, &request) == 0 ? 0 : LinuxError.Last;
        _ = Unistd.close(fd);
        if (error != 0)
        {
            throw LinuxError.Exception($"The network interface {name} does not tell its address", error);
        }

        return request.hwaddr_family == IfArp.ARPHRD_ETHER
            ? EthernetAddress.Read(new ReadOnlySpan<byte>(request.hwaddr_data, IfEther.ETH_ALEN))
            : throw new IOException($"The interface {name} is not Ethernet: it has no neighbours to tell.");
    }

    /// <summary>Name of an interface by its index; null when it has gone meanwhile.</summary>
    internal static string? NameOf(int index)
    {
        byte* name = stackalloc byte[If.IF_NAMESIZE];
        return If.if_indextoname((uint)index, name) == null
            ? null
            : System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)name);
    }
}
