using System.Runtime.InteropServices;
using MirrorD.Fuzz.Running;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.NbdDevices;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Fuzz.Targets.Linux;

/// <summary>
/// What one receive from a netlink socket gives: messages of links and addresses, of the nbd driver, of families.
/// </summary>
internal sealed class NetlinkTarget : FuzzTarget
{
    private static readonly GenericNetlinkFamily s_family = new(30);

    public override string Name => "netlink";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Io.Linux/Network/NetlinkMessage.cs", "src/MirrorD.Io.Linux/NbdDevices/NbdMessages.cs",
    ];

    public override IReadOnlyList<int> Fields => [0, 4, 6, 8, 12, 16, 18, 20, 22, 24, 28, 32, 34, 36, 40];

    public override IEnumerable<byte[]> Seeds()
    {
        var options = new NbdDeviceOptions
        {
            Backend = "mail/data",
            SizeBytes = 1 << 20,
            BlockBytes = 4096,
            TransmissionFlags = 3,
        };
        yield return NbdMessages.Connect(s_family, options, 5).Finish(0, 1).ToArray();
        yield return NbdMessages.Reconfigure(s_family, 3, "mail/data", 5).Finish(0, 2).ToArray();
        yield return NbdMessages.SetDeadConnectionTimeout(s_family, 3, "mail/data", 10).Finish(0, 2).ToArray();
        yield return NbdMessages.SetSize(s_family, 3, "mail/data", 4096).Finish(0, 2).ToArray();
        yield return NbdMessages.Disconnect(s_family, 3).Finish(0, 3).ToArray();
        yield return NbdMessages.Status(s_family).Finish(0, 4).ToArray();
        yield return s_family.Message(NbdNetlink.NBD_CMD_STATUS, 1).Nest(NbdNetlink.NBD_ATTR_DEVICE_LIST, Devices).Finish(
            0, 5).ToArray();
        yield return s_family.Message(3, 1).Attribute(Genetlink.CTRL_ATTR_FAMILY_ID, 77u).Finish(0, 6).ToArray();
        byte[] address = new NetlinkMessage(Rtnetlink.RTM_NEWADDR, 0)
            .Append(new ifaddrmsg { ifa_prefixlen = 24, ifa_index = 2 }).Attribute(IfAddr.IFA_LOCAL, [10, 0, 0, 1])
            .Attribute(IfAddr.IFA_ADDRESS, Bytes.Counting(16)).Finish(0, 7).ToArray();
        byte[] link = new NetlinkMessage(Rtnetlink.RTM_NEWLINK, 0)
            .Append(new ifinfomsg { ifi_type = IfArp.ARPHRD_ETHER, ifi_index = 2, ifi_flags = 1 << 16 })
            .Attribute(IfLink.IFLA_IFNAME, "eth0").Attribute(IfLink.IFLA_ADDRESS, Bytes.Counting(6)).Finish(0, 8).ToArray();
        yield return [.. address, .. link, .. address];
    }

    // The length of the first message.
    public override byte[] FixUp(byte[] input)
    {
        if (input.Length >= 16)
        {
            uint length = (uint)input.Length;
            MemoryMarshal.Write(input, in length);
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        ReadOnlySpan<byte> rest = input;
        while (true)
        {
            int before = rest.Length;
            if (!NetlinkMessage.TryTake(ref rest, out nlmsghdr header, out ReadOnlySpan<byte> body))
            {
                break;
            }

            BrokenProperty.Unless(rest.Length < before, "each message takes something");
            BrokenProperty.Unless(body.Length + 16 == header.nlmsg_len, "a message is as long as it says");
            BrokenProperty.Unless(before - rest.Length == Math.Min(before, body.Length + 19 & ~3),
                "the next one begins at a multiple of 4");
            Parse(body);
        }
    }

    private static void Parse(ReadOnlySpan<byte> body)
    {
        _ = LinkInfo.Parse(body);
        AddressInfo? address = AddressInfo.Parse(body);
        BrokenProperty.Unless(address is null || address.Value.Address is not null, "an address has bytes");
        _ = GenericNetlinkFamily.Parse(body);
        _ = NbdMessages.Index(body);
        HashSet<int> configured = NbdMessages.Configured(body);
        BrokenProperty.Unless(configured.Count <= body.Length / 16, "a device needs its bytes");
        ReadOnlySpan<byte> attributes = body.Length < 4 ? default : body[4..];
        while (true)
        {
            int before = attributes.Length;
            if (!NetlinkMessage.TryTakeAttribute(ref attributes, out ushort type, out ReadOnlySpan<byte> value))
            {
                break;
            }

            BrokenProperty.Unless(attributes.Length < before && type < 0x4000, "each attribute takes something");
            BrokenProperty.Unless(
                before - attributes.Length == Math.Min(before, value.Length + 7 & ~3),
                    "the next attribute begins at a multiple of 4");
        }
    }

    private static void Devices(NetlinkMessage list)
    {
        for (uint device = 0; device < 3; device++)
        {
            uint index = device;
            list.Nest(NbdNetlink.NBD_DEVICE_ITEM, item => item
                .Attribute(NbdNetlink.NBD_DEVICE_INDEX, index).Attribute(NbdNetlink.NBD_DEVICE_CONNECTED,
                    [(byte)(index & 1)]));
        }
    }
}
