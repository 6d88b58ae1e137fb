using System.Buffers.Binary;
using System.Net;
using MirrorD.Fuzz.Running;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Fuzz.Targets.Linux;

/// <summary>An Ethernet frame of IPv6 neighbour discovery.</summary>
internal sealed class NeighbourTarget : FuzzTarget
{
    private const int MessageAt = 54;

    private static readonly EthernetAddress s_mac = new(0x021122334455);

    public override string Name => "neighbour";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Io.Linux/Network/NeighbourFrame.cs"];

    public override IReadOnlyList<int> Fields => [0, 6, 12, 14, 18, 20, 21, 22, 38, 54, 55, 56, 58, 62, 78, 79, 80, 86, 87];

    public override int MostBytes => 400;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] frame = new byte[NeighbourFrame.MaxLengthBytes];
        IPAddress address = IPAddress.Parse("2001:db8::1");
        int length = NeighbourFrame.WriteAdvertisement(frame, s_mac, address, isRouter: true);
        yield return frame[..length];
        yield return FixUp([.. frame[..length], .. frame[78..86]]);
        yield return FixUp([.. frame[..78], 1, 1, 0, 0, 0, 0, 0, 0, 2, 1, 9, 9, 9, 9, 9, 9]);
        yield return FixUp([.. frame[..78], 1, 1, 0, 0, 0, 0, 0, 0]);
        length = NeighbourFrame.WriteSolicitation(frame, s_mac, IPAddress.IPv6Any, address);
        yield return frame[..length];
        length = NeighbourFrame.WriteSolicitation(frame, s_mac, IPAddress.Parse("2001:db8::2"), address);
        yield return frame[..length];
    }

    // Length of the payload, and the checksum over all of it.
    public override byte[] FixUp(byte[] input)
    {
        if (input.Length < 78)
        {
            return input;
        }

        if ((input[0] & 1) == 1)
        {
            BinaryPrimitives.WriteUInt16BigEndian(input.AsSpan(18), (ushort)(input.Length - MessageAt));
        }

        int end = Math.Min(input.Length, MessageAt + BinaryPrimitives.ReadUInt16BigEndian(input.AsSpan(18)));
        BinaryPrimitives.WriteUInt16BigEndian(input.AsSpan(56), 0);
        BinaryPrimitives.WriteUInt16BigEndian(input.AsSpan(56), Checksum(input.AsSpan(0, end)));
        return input;
    }

    public override void Run(byte[] input)
    {
        if (NeighbourFrame.Read(input) is not { } message)
        {
            return;
        }

        BrokenProperty.Unless(message.Type is 135 or 136, "it is a solicitation or an advertisement");
        BrokenProperty.UnlessSame(input.AsSpan(62, 16), message.Target.GetAddressBytes());
        BrokenProperty.UnlessSame(input.AsSpan(22, 16), message.Sender.GetAddressBytes());
        BrokenProperty.UnlessSame(input.AsSpan(38, 16), message.Destination.GetAddressBytes());
        BrokenProperty.Unless(message.IsSolicited == ((input[58] & 0x40) != 0), "solicited is the flag S (RFC 4861, 4.4)");
        int end = MessageAt + BinaryPrimitives.ReadUInt16BigEndian(input.AsSpan(18));
        BrokenProperty.Unless(end <= input.Length, "a message ends within its frame");
        BrokenProperty.Unless(Checksum(input.AsSpan(0, end)) == 0, "the checksum fits");
        BrokenProperty.Unless(input[20] == 58 && input[21] == 255 && input[55] == 0, "no router forwarded it");
        EthernetAddress expected = EthernetAddress.Read(input.AsSpan(6));
        byte wanted = message.Type == 136 ? (byte)2 : (byte)1;
        for (int at = 78; at + 8 <= end && input[at + 1] != 0 && at + 8 * input[at + 1] <= end; at += 8 * input[at + 1])
        {
            if (input[at] == wanted)
            {
                expected = EthernetAddress.Read(input.AsSpan(at + 2));
                break;
            }
        }

        BrokenProperty.Unless(message.Mac == expected, "the MAC is that of the option, or the sender's");
    }

    // RFC 4443, section 2.3.
    private static ushort Checksum(ReadOnlySpan<byte> frame)
    {
        long sum = frame.Length - MessageAt + 58;
        for (int at = 22; at < frame.Length; at++)
        {
            sum += at % 2 == 0 ? frame[at] << 8 : frame[at];
        }

        while (sum > ushort.MaxValue)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
