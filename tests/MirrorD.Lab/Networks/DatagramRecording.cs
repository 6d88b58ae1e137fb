using System.Buffers.Binary;
using System.Net;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>One datagram that was recorded.</summary>
/// <param name="From">Who sent it.</param>
/// <param name="To">Whom it was for.</param>
/// <param name="Bytes">What it said.</param>
public sealed record RecordedDatagram(IPEndPoint From, IPEndPoint To, byte[] Bytes);

/// <summary>Datagrams from one address to a port of another one, as tcpdump sees them where they arrive.</summary>
public sealed class DatagramRecording
{
    private const int UdpHeaderBytes = 8;

    private static int s_recordings;
    private readonly string _file;
    private readonly LabProcess _process;

    /// <summary>Starts it and waits until it listens.</summary>
    public DatagramRecording(Host receiver, string networkInterface, string from, string to, int port)
    {
        string name = $"datagrams-{Interlocked.Increment(ref s_recordings)}";
        _file = Path.Combine(receiver.Directory, $"{name}.pcap");
        _process = receiver.Start(
            name, "tcpdump", "-i", networkInterface, "-n", "-U", "-Z", "root", "-w", _file,
            $"udp and src host {from} and dst host {to} and dst port {port}");
        _process.WaitForOutput("listening on", 10);
    }

    /// <summary>Everything so far, in its order.</summary>
    public IReadOnlyList<RecordedDatagram> Datagrams
    {
        get
        {
            using var stream = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] file = new byte[stream.Length];
            stream.ReadExactly(file);
            return [.. PcapFile.Packets(file).Select(Read)];
        }
    }

    /// <summary>Ends it.</summary>
    public void End() => _process.Terminate();

    // IPv4 (RFC 791) and UDP (RFC 768) headers.
    private static RecordedDatagram Read(ReadOnlyMemory<byte> packet)
    {
        ReadOnlySpan<byte> ip = packet.Span;
        ReadOnlySpan<byte> udp = ip[((ip[0] & 15) * 4)..];
        return new RecordedDatagram(
            new IPEndPoint(new IPAddress(ip[12..16]), BinaryPrimitives.ReadUInt16BigEndian(udp)),
            new IPEndPoint(new IPAddress(ip[16..20]), BinaryPrimitives.ReadUInt16BigEndian(udp[2..])),
            udp[UdpHeaderBytes..BinaryPrimitives.ReadUInt16BigEndian(udp[4..])].ToArray());
    }
}
