using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>Changes of the network as the kernel tells them over netlink; no call waits.</summary>
internal sealed unsafe class NetlinkSubscription : IDisposable
{
    // More than the largest message that is told, with room for interfaces with many properties.
    private readonly byte[] _received = new byte[32 * 1024];

    /// <summary>Everything from now on is told.</summary>
    /// <param name="groups">Bits of RTMGRP.</param>
    public NetlinkSubscription(uint groups)
    {
        const int type = Socket.SOCK_RAW | Socket.SOCK_CLOEXEC | Socket.SOCK_NONBLOCK;
        Fd = Socket.socket(Socket.AF_NETLINK, type, Netlink.NETLINK_ROUTE);
        if (Fd < 0)
        {
            throw LinuxError.Exception("No netlink socket", LinuxError.Last);
        }

        var address = new sockaddr_nl { nl_family = Socket.AF_NETLINK, nl_groups = groups };
        if (Socket.bind(Fd, &address, (uint)sizeof(sockaddr_nl)) < 0)
        {
            int errno = LinuxError.Last;
            Dispose();
            throw LinuxError.Exception("The kernel refused to tell changes of the network", errno);
        }
    }

    /// <summary>For poll(2).</summary>
    public int Fd { get; }

    /// <summary>Hands over all that has been told and was not taken yet.</summary>
    /// <returns>False: something was told that is lost; the state has to be asked for.</returns>
    public bool Visit(NetlinkVisitor visit)
    {
        bool isComplete = true;
        while (true)
        {
            nint received;
            fixed (byte* data = _received)
            {
                received = Socket.recv(Fd, data, (nuint)_received.Length, 0);
            }

            if (received >= 0)
            {
                ReadOnlySpan<byte> rest = _received.AsSpan(0, (int)received);
                while (NetlinkMessage.TryTake(ref rest, out nlmsghdr header, out ReadOnlySpan<byte> body))
                {
                    visit(header.nlmsg_type, body);
                }

                continue;
            }

            switch (LinuxError.Last)
            {
                case LinuxError.EINTR:
                    break;
                case LinuxError.ENOBUFS:
                    isComplete = false;
                    break;
                case Errno.EAGAIN:
                    return isComplete;
                default:
                    throw LinuxError.Exception(
                        "The kernel does not tell changes of the network any more", LinuxError.Last);
            }
        }
    }

    public void Dispose() => _ = Unistd.close(Fd);
}
