using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>What the kernel tells unasked over netlink; no call waits.</summary>
internal sealed unsafe class NetlinkSubscription : IDisposable
{
    // More than the largest message that is told, with room for interfaces with many properties.
    private readonly byte[] _received = new byte[32 * 1024];

    private readonly string _subject;

    private NetlinkSubscription(int protocol, string subject)
    {
        _subject = subject;
        const int type = Socket.SOCK_RAW | Socket.SOCK_CLOEXEC | Socket.SOCK_NONBLOCK;
        Fd = Socket.socket(Socket.AF_NETLINK, type, protocol);
        if (Fd < 0)
        {
            throw LinuxError.Exception("No netlink socket", LinuxError.Last);
        }
    }

    /// <summary>Subscribes to changes of the network; everything from now on is told.</summary>
    /// <param name="groups">Bits of RTMGRP.</param>
    public static NetlinkSubscription ToNetwork(uint groups)
    {
        var subscription = new NetlinkSubscription(Netlink.NETLINK_ROUTE, "changes of the network");
        subscription.Bind(groups);
        return subscription;
    }

    /// <summary>Subscribes to a multicast group of a generic netlink family.</summary>
    /// <param name="group">Number of the group, as the family tells it.</param>
    /// <param name="subject">What it tells, for messages.</param>
    public static NetlinkSubscription ToGroup(uint group, string subject)
    {
        var subscription = new NetlinkSubscription(Netlink.NETLINK_GENERIC, subject);

        // A socket without an address has that of the kernel, and who sends is not told what it sent.
        subscription.Bind(groups: 0);
        subscription.Check(Socket.setsockopt(
            subscription.Fd, Socket.SOL_NETLINK, Netlink.NETLINK_ADD_MEMBERSHIP, &group, sizeof(uint)));
        return subscription;
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
                        $"The kernel does not tell {_subject} any more", LinuxError.Last);
            }
        }
    }

    public void Dispose() => _ = Unistd.close(Fd);

    private void Bind(uint groups)
    {
        var address = new sockaddr_nl { nl_family = Socket.AF_NETLINK, nl_groups = groups };
        Check(Socket.bind(Fd, &address, (uint)sizeof(sockaddr_nl)));
    }

    private void Check(int result)
    {
        if (result < 0)
        {
            int errno = LinuxError.Last;
            Dispose();
            throw LinuxError.Exception($"The kernel refused to tell {_subject}", errno);
        }
    }
}
