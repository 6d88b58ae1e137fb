using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Messages to and from the kernel's nbd driver (linux/nbd-netlink.h), in host byte order.</summary>
internal static unsafe class NbdMessages
{
    /// <summary>
    /// A new device on a free number. Without NBD_ATTR_TIMEOUT: a slow server is never given up. Without
    /// client flags: NBD_CFLAG_DISCONNECT_ON_CLOSE would end the device with the first probe of udev.
    /// </summary>
    public static NetlinkMessage Connect(GenericNetlinkFamily family, NbdDeviceOptions options, int fd) =>
        Begin(family, NbdNetlink.NBD_CMD_CONNECT)
            .Attribute(NbdNetlink.NBD_ATTR_SIZE_BYTES, (ulong)options.SizeBytes)
            .Attribute(NbdNetlink.NBD_ATTR_BLOCK_SIZE_BYTES, (ulong)options.BlockBytes)
            .Attribute(NbdNetlink.NBD_ATTR_SERVER_FLAGS, (ulong)options.TransmissionFlags)
            .Attribute(NbdNetlink.NBD_ATTR_DEAD_CONN_TIMEOUT, (ulong)options.DeadConnectionTimeoutSeconds)
            .Attribute(NbdNetlink.NBD_ATTR_BACKEND_IDENTIFIER, options.Backend)
            .Nest(NbdNetlink.NBD_ATTR_SOCKETS, sockets => AppendSocket(sockets, fd));

    /// <summary>Another socket in place of one that is dead.</summary>
    public static NetlinkMessage Reconfigure(
        GenericNetlinkFamily family, int index, string backend, int fd) =>
        Existing(family, index, backend)
            .Nest(NbdNetlink.NBD_ATTR_SOCKETS, sockets => AppendSocket(sockets, fd));

    /// <summary>How long requests wait for another socket.</summary>
    public static NetlinkMessage SetDeadConnectionTimeout(
        GenericNetlinkFamily family, int index, string backend, long seconds) =>
        Existing(family, index, backend)
            .Attribute(NbdNetlink.NBD_ATTR_DEAD_CONN_TIMEOUT, (ulong)seconds);

    /// <summary>Another size; only of a device whose link is alive.</summary>
    public static NetlinkMessage SetSize(GenericNetlinkFamily family, int index, string backend, long sizeBytes) =>
        Existing(family, index, backend).Attribute(NbdNetlink.NBD_ATTR_SIZE_BYTES, (ulong)sizeBytes);

    /// <summary>Ends a device.</summary>
    public static NetlinkMessage Disconnect(GenericNetlinkFamily family, int index) =>
        Begin(family, NbdNetlink.NBD_CMD_DISCONNECT).Attribute(NbdNetlink.NBD_ATTR_INDEX, (uint)index);

    /// <summary>Asks for the state of all devices.</summary>
    public static NetlinkMessage Status(GenericNetlinkFamily family) =>
        Begin(family, NbdNetlink.NBD_CMD_STATUS);

    /// <summary>Number of the device in the answer to a connect; null: none.</summary>
    public static int? Index(ReadOnlySpan<byte> body) =>
        MemoryMarshal.TryRead(
            NetlinkMessage.FindAttribute(Attributes(body), NbdNetlink.NBD_ATTR_INDEX), out uint index)
            ? (int)index
            : null;

    /// <summary>Numbers of the devices that are configured, from the answer to a status question.</summary>
    public static HashSet<int> Configured(ReadOnlySpan<byte> body)
    {
        HashSet<int> configured = [];
        ReadOnlySpan<byte> rest =
            NetlinkMessage.FindAttribute(Attributes(body), NbdNetlink.NBD_ATTR_DEVICE_LIST);
        while (NetlinkMessage.TryTakeAttribute(ref rest, out ushort type, out ReadOnlySpan<byte> item))
        {
            ReadOnlySpan<byte> state =
                NetlinkMessage.FindAttribute(item, NbdNetlink.NBD_DEVICE_CONNECTED);
            if (type == NbdNetlink.NBD_DEVICE_ITEM && state is [not 0, ..]
                && MemoryMarshal.TryRead(
                    NetlinkMessage.FindAttribute(item, NbdNetlink.NBD_DEVICE_INDEX), out uint index))
            {
                configured.Add((int)index);
            }
        }

        return configured;
    }

    private static NetlinkMessage Begin(GenericNetlinkFamily family, byte command) =>
        family.Message(command, NbdNetlink.NBD_GENL_VERSION);

    // Without NBD_ATTR_TIMEOUT, which would set queue/io_timeout anew; a size would hang on a dead link. The kernel refuses a device whose backend is another one.
    private static NetlinkMessage Existing(GenericNetlinkFamily family, int index, string backend) =>
        Begin(family, NbdNetlink.NBD_CMD_RECONFIGURE)
            .Attribute(NbdNetlink.NBD_ATTR_INDEX, (uint)index)
            .Attribute(NbdNetlink.NBD_ATTR_BACKEND_IDENTIFIER, backend);

    // One only: with several, the kernel gives up a slow one and sends its requests again on another.
    private static void AppendSocket(NetlinkMessage sockets, int fd) =>
        sockets.Nest(
            NbdNetlink.NBD_SOCK_ITEM, item => item.Attribute(NbdNetlink.NBD_SOCK_FD, (uint)fd));

    private static ReadOnlySpan<byte> Attributes(ReadOnlySpan<byte> body) =>
        body.Length < sizeof(genlmsghdr) ? default : body[sizeof(genlmsghdr)..];
}
