using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/genetlink.h: families of messages that modules of the kernel register by name.</summary>
[CHeader("linux/genetlink.h")]
internal static class Genetlink
{
    /// <summary>The family that resolves the others, "nlctrl".</summary>
    public const ushort GENL_ID_CTRL = 16;

    public const byte CTRL_CMD_GETFAMILY = 3;

    public const ushort CTRL_ATTR_FAMILY_ID = 1;
    public const ushort CTRL_ATTR_FAMILY_NAME = 2;
}

[CHeader("linux/genetlink.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct genlmsghdr
{
    public byte cmd;
    public byte version;
    public ushort reserved;
}
