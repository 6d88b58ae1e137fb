using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>A family of generic netlink as the kernel numbers it until the next boot.</summary>
/// <param name="Id">Type of its messages.</param>
internal sealed record GenericNetlinkFamily(ushort Id)
{
    /// <summary>Asks for a family; false when the kernel has none of that name here.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static bool TryResolve(
        NetlinkSocket socket, string name, [NotNullWhen(true)] out GenericNetlinkFamily? family)
    {
        GenericNetlinkFamily? found = null;
        int result = socket.Execute(Question(name), (_, body) => found = Parse(body));
        family = found;
        return result switch
        {
            0 when found is not null => true,
            -Errno.ENOENT => false,
            0 => throw new IOException($"The kernel did not tell the number of the netlink family {name}."),
            _ => throw LinuxError.Exception($"The kernel did not resolve the netlink family {name}", -result),
        };
    }

    /// <summary>A message of the family.</summary>
    public NetlinkMessage Message(byte command, byte version) =>
        Begin(Id, command, version);

    /// <summary>CTRL_CMD_GETFAMILY.</summary>
    internal static NetlinkMessage Question(string name) =>
        Begin(Genetlink.GENL_ID_CTRL, Genetlink.CTRL_CMD_GETFAMILY, version: 1)
            .Attribute(Genetlink.CTRL_ATTR_FAMILY_NAME, name);

    /// <summary>Takes the body of a CTRL_CMD_NEWFAMILY apart; null when it has no number.</summary>
    internal static unsafe GenericNetlinkFamily? Parse(ReadOnlySpan<byte> body)
    {
        if (body.Length < sizeof(genlmsghdr))
        {
            return null;
        }

        ReadOnlySpan<byte> attributes = body[sizeof(genlmsghdr)..];
        ReadOnlySpan<byte> id = NetlinkMessage.FindAttribute(attributes, Genetlink.CTRL_ATTR_FAMILY_ID);
        return MemoryMarshal.TryRead(id, out ushort number) ? new GenericNetlinkFamily(number) : null;
    }

    private static NetlinkMessage Begin(ushort type, byte command, byte version) =>
        new NetlinkMessage(type, 0).Append(new genlmsghdr { cmd = command, version = version });
}
