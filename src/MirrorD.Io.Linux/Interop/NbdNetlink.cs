namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/nbd-netlink.h: the generic netlink family of the nbd driver.</summary>
[CHeader("linux/nbd-netlink.h")]
internal static class NbdNetlink
{
    public const byte NBD_GENL_VERSION = 1;

    public const byte NBD_CMD_CONNECT = 1;
    public const byte NBD_CMD_DISCONNECT = 2;
    public const byte NBD_CMD_RECONFIGURE = 3;
    public const byte NBD_CMD_STATUS = 5;

    public const ushort NBD_ATTR_INDEX = 1;
    public const ushort NBD_ATTR_SIZE_BYTES = 2;
    public const ushort NBD_ATTR_BLOCK_SIZE_BYTES = 3;
    public const ushort NBD_ATTR_SERVER_FLAGS = 5;
    public const ushort NBD_ATTR_SOCKETS = 7;
    public const ushort NBD_ATTR_DEAD_CONN_TIMEOUT = 8;
    public const ushort NBD_ATTR_DEVICE_LIST = 9;
    public const ushort NBD_ATTR_BACKEND_IDENTIFIER = 10;

    public const ushort NBD_SOCK_ITEM = 1;
    public const ushort NBD_SOCK_FD = 1;

    public const ushort NBD_DEVICE_ITEM = 1;
    public const ushort NBD_DEVICE_INDEX = 1;
    public const ushort NBD_DEVICE_CONNECTED = 2;
}
