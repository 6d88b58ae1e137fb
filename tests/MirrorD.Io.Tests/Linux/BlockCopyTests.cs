using MirrorD.Io.Linux.Disks;

namespace MirrorD.Io.Tests.Linux;

/// <summary>Copies between files; between block devices: ThinSnapshotTests in MirrorD.Machines.Tests.</summary>
public sealed class BlockCopyTests : IDisposable
{
    private const int Piece = 1 << 20;

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void Only_what_differs_within_the_length_is_written()
    {
        byte[] wanted = Pattern(1, 3 * Piece + 4096);
        byte[] there = [.. wanted];
        Array.Fill(there, (byte)9, Piece + 5, 10);
        Array.Fill(there, (byte)9, 3 * Piece, 4096);
        string source = Write("source", wanted);
        string target = Write("target", there);
        BlockCopy.CopyDifferences(source, target, 3 * Piece);
        Array.Copy(wanted, there, 3 * Piece);
        Assert.Equal(there, File.ReadAllBytes(target));
        BlockCopy.CopyDifferences(source, target, wanted.Length);
        Assert.Equal(wanted, File.ReadAllBytes(target));
    }

    [Fact]
    public void What_is_equal_stays_a_hole()
    {
        string source = Write("source", new byte[4 * Piece]);
        string target = Write("target", []);
        using (FileStream file = File.OpenWrite(target))
        {
            file.SetLength(4 * Piece);
        }

        BlockCopy.CopyDifferences(source, target, 4 * Piece);
        Assert.Equal(0, FileClone.AllocatedBytes(target));
    }

    [Fact]
    public void A_source_that_is_too_short_is_named()
    {
        string source = Write("source", Pattern(1, Piece));
        string target = Write("target", new byte[2 * Piece]);
        IOException failed = Assert.Throws<IOException>(() => BlockCopy.CopyDifferences(source, target, 2 * Piece));
        Assert.Equal($"{source} ends at byte {Piece}, before what is to be copied", failed.Message);
    }

    public void Dispose() => _directory.Dispose();

    private static byte[] Pattern(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private string Write(string name, byte[] contents)
    {
        string path = _directory.File(name);
        File.WriteAllBytes(path, contents);
        return path;
    }
}
