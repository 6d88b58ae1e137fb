namespace MirrorD.Lab.Networks;

/// <summary>Frames in a file of tcpdump (pcap-savefile(5)), in this machine's byte order, of Ethernet.</summary>
internal static class PcapFile
{
    private const int FileHeaderBytes = 24;
    private const int PacketHeaderBytes = 16;
    private const int EthernetBytes = 14;

    /// <summary>The IP packet of each frame, from its header on; one that is written only in part is left out.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Packets(byte[] file)
    {
        for (int at = FileHeaderBytes; at + PacketHeaderBytes <= file.Length;)
        {
            int length = BitConverter.ToInt32(file, at + 8);
            if (at + PacketHeaderBytes + length > file.Length)
            {
                break;
            }

            yield return file.AsMemory(at + PacketHeaderBytes + EthernetBytes, length - EthernetBytes);
            at += PacketHeaderBytes + length;
        }
    }
}
