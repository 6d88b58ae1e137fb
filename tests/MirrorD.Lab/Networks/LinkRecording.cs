using System.Buffers.Binary;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>What one side of TCP connections says on the dedicated link, as tcpdump sees it there.</summary>
public sealed class LinkRecording
{
    private const byte Syn = 2;

    private static int s_recordings;
    private readonly string _file;
    private readonly LabProcess _process;

    /// <summary>Starts it and waits until it listens.</summary>
    /// <param name="host">A host of the link.</param>
    /// <param name="port">The port that is connected to.</param>
    public LinkRecording(Host host, int port)
    {
        string name = $"recording-{Interlocked.Increment(ref s_recordings)}";
        _file = Path.Combine(host.Directory, $"{name}.pcap");
        _process = host.Start(
            name, "tcpdump", "-i", Host.DedicatedInterface, "-n", "-U", "-Z", "root", "-w", _file, $"tcp dst port {port}");
        _process.WaitForOutput("listening on", 10);
    }

    /// <summary>Bytes recorded so far, headers included.</summary>
    public long Bytes => new FileInfo(_file).Length;

    /// <summary>Ends it.</summary>
    /// <returns>The connection on which most was said, from its first byte on.</returns>
    public byte[] End()
    {
        _process.Terminate();
        return Connections(File.ReadAllBytes(_file)).MaxBy(said => said.Length) ?? [];
    }

    private static IEnumerable<byte[]> Connections(byte[] file)
    {
        var connections = new Dictionary<ushort, (uint First, SortedDictionary<uint, byte[]> Pieces)>();
        foreach (ReadOnlyMemory<byte> packet in PcapFile.Packets(file))
        {
            ReadOnlySpan<byte> ip = packet.Span;
            ReadOnlySpan<byte> tcp = ip[((ip[0] & 15) * 4)..BinaryPrimitives.ReadUInt16BigEndian(ip[2..])];
            ushort port = BinaryPrimitives.ReadUInt16BigEndian(tcp);
            uint sequence = BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]);
            if ((tcp[13] & Syn) != 0)
            {
                connections[port] = (sequence + 1, []);
            }
            else if (connections.TryGetValue(port, out (uint First, SortedDictionary<uint, byte[]> Pieces) connection))
            {
                uint offset = sequence - connection.First;
                byte[] said = tcp[((tcp[12] >> 4) * 4)..].ToArray();
                if (!connection.Pieces.TryGetValue(offset, out byte[]? known) || known.Length < said.Length)
                {
                    connection.Pieces[offset] = said;
                }
            }
        }

        return connections.Values.Select(connection => Join(connection.Pieces));
    }

    private static byte[] Join(SortedDictionary<uint, byte[]> pieces)
    {
        var whole = new List<byte>();
        foreach ((uint at, byte[] bytes) in pieces)
        {
            if (at > whole.Count)
            {
                break;
            }

            // What was sent twice overlaps.
            whole.AddRange(bytes.Skip(whole.Count - (int)at));
        }

        return [.. whole];
    }
}
