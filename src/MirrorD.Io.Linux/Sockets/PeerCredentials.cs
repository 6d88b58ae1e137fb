using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>Who connected a unix socket, as the kernel noted it at that moment (unix(7), SO_PEERCRED).</summary>
/// <param name="UserId">Effective user id.</param>
/// <param name="ProcessId">The process; another one may bear the number by now.</param>
/// <param name="Groups">Effective group id and supplementary groups.</param>
public sealed record PeerCredentials(uint UserId, int ProcessId, IReadOnlyList<uint> Groups)
{
    // Nearly everybody has fewer groups; for others the kernel says how many there are.
    private const int UsualGroups = 64;

    /// <summary>Asks the kernel.</summary>
    /// <param name="fd">The accepted end of a connection.</param>
    /// <exception cref="IOException">It does not say.</exception>
    public static unsafe PeerCredentials Of(int fd)
    {
        ucred peer;
        uint length = (uint)sizeof(ucred);
        if (Socket.getsockopt(fd, Socket.SOL_SOCKET, Socket.SO_PEERCRED, &peer, &length) != 0)
        {
            throw Unknown(LinuxError.Last);
        }

        return new PeerCredentials(peer.uid, peer.pid, [peer.gid, .. SupplementaryGroups(fd)]);
    }

    private static unsafe uint[] SupplementaryGroups(int fd)
    {
        uint[] groups = new uint[UsualGroups];
        while (true)
        {
            uint length = (uint)groups.Length * sizeof(uint);
            int result;
            fixed (uint* first = groups)
            {
                result = Socket.getsockopt(fd, Socket.SOL_SOCKET, Socket.SO_PEERGROUPS, first, &length);
            }

            int count = (int)(length / sizeof(uint));
            if (result == 0)
            {
                return groups[..count];
            }

            if (LinuxError.Last != LinuxError.ERANGE || count <= groups.Length)
            {
                throw Unknown(LinuxError.Last);
            }

            groups = new uint[count];
        }
    }

    private static IOException Unknown(int error) =>
        new($"The kernel does not say who connected: {LinuxError.Text(error)}.", error);
}
