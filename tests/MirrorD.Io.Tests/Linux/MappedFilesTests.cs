using System.Globalization;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Memory;

namespace MirrorD.Io.Tests.Linux;

public sealed unsafe class MappedFilesTests : IDisposable
{
    private const int LengthBytes = 1 << 20;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    // The kernel's own account of the mapping (smaps) is the witness.
    [Fact]
    public void What_is_needed_is_read_in_and_nothing_else()
    {
        (string needed, string other) = (_directory.File("needed with blanks"), _directory.File("other"));
        using Mapping one = Map(needed);
        using Mapping two = Map(other);
        Assert.Equal(0, ResidentKibibytes(needed));

        Assert.Equal(LengthBytes, MappedFiles.ReadIn(file => file == needed));
        Assert.Equal(LengthBytes / 1024, ResidentKibibytes(needed));
        Assert.Equal(0, ResidentKibibytes(other));
    }

    private static Mapping Map(string path)
    {
        File.WriteAllBytes(path, new byte[LengthBytes]);
        int fd = Fcntl.open(path, Fcntl.O_RDONLY | Fcntl.O_CLOEXEC, 0);
        void* address = Mman.mmap(null, LengthBytes, Mman.PROT_READ, Mman.MAP_PRIVATE, fd, 0);
        Assert.Equal(0, Unistd.close(fd));
        Assert.True(address != Mman.Failed);
        return new Mapping((nint)address);
    }

    private static int ResidentKibibytes(string path)
    {
        string[] lines = File.ReadAllLines("/proc/self/smaps");
        int at = Array.FindIndex(lines, line => line.EndsWith($" {path}", StringComparison.Ordinal));
        string rss = lines.Skip(at).First(line => line.StartsWith("Rss:", StringComparison.Ordinal));
        return int.Parse(
            rss.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private sealed class Mapping(nint address) : IDisposable
    {
        public void Dispose() => _ = Mman.munmap((void*)address, LengthBytes);
    }
}
