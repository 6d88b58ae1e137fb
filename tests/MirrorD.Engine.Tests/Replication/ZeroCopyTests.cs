using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>What is all zeroes crosses the link without data and takes no room at the target.</summary>
public class ZeroCopyTests
{
    private const int VolumeBytes = 16 << 20;

    [Fact]
    public void Zeroes_cross_the_link_without_data_and_replace_what_the_target_held()
    {
        var pair = new SimulatedPair(
            dataBytes: VolumeBytes, aIs: Formats.Metadata.CreationSource.Self, bIs: Formats.Metadata.CreationSource.Peer);
        byte[] data = Noise(512 << 10);
        pair.A.Put(4 << 20, data);
        pair.B.Put(0, Noise(VolumeBytes));
        var proxy = new LinkProxy(pair.World);
        pair.A.ConnectTo = proxy.Endpoint;
        pair.StartBoth();
        pair.Join();
        byte[] expected = new byte[VolumeBytes];
        data.CopyTo(expected, 4 << 20);
        Assert.Equal(expected, pair.B.Peek(0, VolumeBytes));

        // What the proxy has counted: the data, and headers.
        Assert.InRange(proxy.FromConnector.Count, data.Length, data.Length + 64 * 1024);
    }

    [Fact]
    public void A_range_with_a_single_byte_that_is_not_zero_is_copied_as_data()
    {
        var pair = new SimulatedPair(
            dataBytes: 1 << 20, aIs: Formats.Metadata.CreationSource.Self, bIs: Formats.Metadata.CreationSource.Peer);
        pair.A.Put((256 << 10) - 1, [1]);
        pair.A.Put(512 << 10, [1]);
        pair.B.Put(0, Noise(1 << 20));
        pair.StartBoth();
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 1 << 20), pair.B.Peek(0, 1 << 20));
        Assert.Equal(2, pair.A.Peek(0, 1 << 20).Count(b => b == 1));
    }

    [Fact]
    public void A_target_file_keeps_room_for_the_data_only()
    {
        byte[] data = Noise(1 << 20);
        using var pair = new RealPair(VolumeBytes, sourceData: data);
        byte[] target = OutputOf("cat", pair.B.DataPath);
        Assert.Equal(VolumeBytes, target.Length);
        Assert.Equal(data, target[..data.Length]);
        Assert.False(target.AsSpan(data.Length).ContainsAnyExcept((byte)0));
        Assert.InRange(AllocatedBytes(pair.A.DataPath), VolumeBytes, 2 * VolumeBytes);
        Assert.InRange(AllocatedBytes(pair.B.DataPath), data.Length, data.Length + (256 << 10));
    }

    private static byte[] Noise(int bytes)
    {
        byte[] noise = new byte[bytes];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static long AllocatedBytes(string path) =>
        long.Parse(Encoding.ASCII.GetString(OutputOf("stat", "-c", "%b", path)), CultureInfo.InvariantCulture) * 512;

    /// <summary>By another program: the node has the file locked, and files opened here ask for its lock.</summary>
    private static byte[] OutputOf(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }
}
