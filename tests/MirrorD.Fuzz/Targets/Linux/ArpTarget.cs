using System.Net;
using MirrorD.Fuzz.Running;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Fuzz.Targets.Linux;

/// <summary>An Ethernet frame of ARP.</summary>
internal sealed class ArpTarget : FuzzTarget
{
    private static readonly EthernetAddress s_mac = new(0x021122334455);

    public override string Name => "arp";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Io.Linux/Network/ArpFrame.cs"];

    public override IReadOnlyList<int> Fields => [0, 6, 12, 14, 16, 18, 19, 20, 22, 28, 32, 38];

    public override int MostBytes => 128;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] frame = new byte[ArpFrame.LengthBytes];
        ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REQUEST, s_mac, IPAddress.Parse("10.0.0.1"));
        yield return (byte[])frame.Clone();
        ArpFrame.WriteAnnouncement(frame, IfArp.ARPOP_REPLY, s_mac, IPAddress.Parse("10.0.0.1"));
        yield return (byte[])frame.Clone();
        ArpFrame.WriteRequest(frame, s_mac, IPAddress.Any, IPAddress.Parse("10.0.0.1"));
        yield return [.. frame, .. new byte[18]];
    }

    // Type, hardware, protocol and lengths.
    public override byte[] FixUp(byte[] input)
    {
        ReadOnlySpan<byte> fixedPart = [8, 6, 0, 1, 8, 0, 6, 4];
        if (input.Length >= 20 && (input[0] & 1) == 0)
        {
            fixedPart.CopyTo(input.AsSpan(12));
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        if (ArpFrame.Read(input) is { } message)
        {
            byte[] again = new byte[ArpFrame.LengthBytes];
            ArpFrame.WriteRequest(again, message.SenderMac, message.Sender, message.Target);
            BrokenProperty.UnlessSame(input.AsSpan(12, 8), again.AsSpan(12, 8));
            BrokenProperty.UnlessSame(input.AsSpan(22, 10), again.AsSpan(22, 10));
            BrokenProperty.UnlessSame(input.AsSpan(38, 4), again.AsSpan(38, 4));
            BrokenProperty.Unless(message.Operation == (input[20] << 8 | input[21]), "the operation is that of the frame");
        }
    }
}
