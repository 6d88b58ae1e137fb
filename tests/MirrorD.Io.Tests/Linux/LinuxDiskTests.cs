using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

public abstract partial class LinuxDiskTests(LoopKind kind) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LoopDriver _driver = new(kind);

    private LinuxLoop Loop => _driver.Loop;

    public void Dispose()
    {
        _driver.Dispose();
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_created_file_has_all_its_room_and_does_not_replace_another()
    {
        string path = _directory.File("disk");
        LinuxDisk.CreateFile(path, 1 << 20);
        Assert.Equal(1 << 20, new FileInfo(path).Length);
        Assert.True(AllocatedBytes(path) >= 1 << 20);

        IOException refusal = Assert.Throws<IOException>(() => LinuxDisk.CreateFile(path, 1 << 20));
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("exists", refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_file_that_does_not_fit_leaves_nothing_behind()
    {
        string path = _directory.File("disk");
        IOException refusal = Assert.Throws<IOException>(() => LinuxDisk.CreateFile(path, 1L << 60));
        Assert.Contains("no room", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
        Assert.Throws<IOException>(() => LinuxDisk.CreateFile(path, 1000));
    }

    [Fact]
    public void A_second_exclusive_opener_is_told_that_the_disk_is_in_use()
    {
        LinuxDisk first = NewFile();
        IOException refusal =
            Assert.Throws<IOException>(() => LinuxDisk.Open(first.Name, isWritable: true, isExclusive: true));
        Assert.Contains("in use by another process", refusal.Message, StringComparison.Ordinal);

        LinuxDisk.Open(first.Name, isWritable: false, isExclusive: false).Close(); // Still possible.
        first.Close();
        LinuxDisk.Open(first.Name, isWritable: true, isExclusive: true).Close();
    }

    [Fact]
    public void A_copy_of_the_descriptor_in_a_process_that_just_starts_does_not_keep_the_lock()
    {
        LinuxDisk first = NewFile();
        int copy = dup(first.Fd); // What a child has between fork and exec.
        Assert.True(copy >= 0);
        try
        {
            first.Close();
            LinuxDisk.Open(first.Name, isWritable: true, isExclusive: true).Close();
        }
        finally
        {
            Assert.Equal(0, close(copy));
        }
    }

    [Fact]
    public void The_lock_keeps_other_processes_out()
    {
        LinuxDisk disk = NewFile();
        string[] arguments = ["--nonblock", "--conflict-exit-code=9", disk.Name, "true"];
        using Process other = Process.Start("flock", arguments);
        other.WaitForExit();
        Assert.Equal(9, other.ExitCode);
        disk.Close();
    }

    [Fact]
    public void What_is_no_disk_is_refused_by_name()
    {
        Assert.Contains("neither", Refusal(_directory.Path), StringComparison.Ordinal);
        Assert.Contains("neither", Refusal("/dev/null"), StringComparison.Ordinal);
        Assert.Contains("No such file", Refusal(_directory.File("absent")), StringComparison.Ordinal);
    }

    [Fact]
    public void Direct_io_is_used()
    {
        LinuxDisk disk = NewFile();
        string line = File.ReadLines($"/proc/self/fdinfo/{disk.Fd}").First(text => text.StartsWith("flags:"));
        Assert.NotEqual(0, Convert.ToInt32(line[6..].Trim(), 8) & MirrorD.Io.Linux.Interop.Fcntl.O_DIRECT);
        disk.Close();
    }

    [Fact]
    public void A_disk_opened_for_reading_refuses_every_change()
    {
        NewFile().Close();
        LinuxDisk disk = LinuxDisk.Open(_directory.File("disk"), isWritable: false, isExclusive: false);
        BufferSlice data = _driver.Buffer(4096);
        Assert.Equal(-Errno.EPERM, _driver.Do(operation => Loop.Write(disk, 0, data, false, operation)));
        Assert.Equal(-Errno.EPERM, _driver.Do(operation => Loop.Zero(disk, 0, 4096, true, operation)));
        Assert.Equal(4096, _driver.Do(operation => Loop.Read(disk, 0, data, operation)));
        disk.Close();
    }

    [Fact]
    public void Misaligned_access_is_refused()
    {
        LinuxDisk disk = NewFile();
        BufferSlice data = _driver.Buffer(8192);
        Assert.Equal(-Errno.EINVAL, Read(disk, 100, data));
        Assert.Equal(-Errno.EINVAL, Read(disk, 0, data.Slice(0, 100)));
        Assert.Equal(-Errno.EINVAL, _driver.Do(operation => Loop.Zero(disk, 1, 4096, true, operation)));
        disk.Close();
    }

    [Fact]
    public void A_disk_that_shrank_gives_an_error_instead_of_short_data()
    {
        LinuxDisk disk = NewFile();
        Command.Run("truncate", "--size=6000", disk.Name);
        BufferSlice data = _driver.Buffer(16384);
        Assert.Equal(-Errno.EIO, _driver.Do(operation => Loop.Read(disk, 0, data, operation)));
        Assert.Equal(-Errno.EIO, _driver.Do(operation => Loop.Read(disk, 65536, data, operation)));
        disk.Close();
    }

    [Fact]
    public void A_discard_gives_the_room_back_and_zeroing_without_unmap_keeps_it()
    {
        LinuxDisk disk = NewFile(lengthBytes: 4 << 20);
        long before = AllocatedBytes(disk.Name);
        Assert.Equal(0, _driver.Do(operation => Loop.Zero(disk, 0, 1 << 20, false, operation)));
        Assert.True(AllocatedBytes(disk.Name) >= before);
        Assert.Equal(0, _driver.Do(operation => Loop.Discard(disk, 0, 1 << 20, operation)));
        Assert.Equal(0, _driver.Do(operation => Loop.Zero(disk, 2 << 20, 1 << 20, true, operation)));
        Assert.InRange(AllocatedBytes(disk.Name), 0, before - (2 << 20));
        disk.Close();
    }

    [Fact]
    public void Holes_and_data_of_a_sparse_file_are_told_apart()
    {
        string path = _directory.File("sparse");
        using (FileStream stream = File.Create(path))
        {
            stream.SetLength(8 << 20);
        }

        LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
        BufferSlice data = _driver.Buffer(65536);
        data.Span.Fill(1);
        _driver.Do(operation => Loop.Write(disk, 1 << 20, data, true, operation));

        Assert.Equal((1 << 20, true), Query(disk, 0, 8 << 20));
        Assert.Equal((65536, false), Query(disk, 1 << 20, 7 << 20));
        Assert.Equal((4096, false), Query(disk, (1 << 20) + 8192, 4096));
        Assert.Equal(((7 << 20) - 65536, true), Query(disk, (1 << 20) + 65536, (7 << 20) - 65536));
        disk.Close();
    }

    [Fact]
    public void Zeroes_are_written_where_the_file_system_cannot_make_them()
    {
        // tmpfs punches holes but has no ZERO_RANGE; it has direct I/O since Linux 6.6.
        string path = $"/dev/shm/mirrord-io-{Environment.ProcessId}";
        LinuxDisk.CreateFile(path, 4 << 20);
        try
        {
            if (Environment.OSVersion.Version < new Version(6, 6))
            {
                Assert.Contains("O_DIRECT", Refusal(path), StringComparison.Ordinal);
                return;
            }

            LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
            BufferSlice data = _driver.Buffer(1 << 20);
            data.Span.Fill(7);
            _driver.Do(operation => Loop.Write(disk, 0, data, false, operation));
            int result = _driver.Do(operation => Loop.Zero(disk, 4096, (1 << 20) - 8192, false, operation));
            Assert.Equal(0, result);
            _driver.Do(operation => Loop.Read(disk, 0, data, operation));
            AssertOnlyEndsRemain(data);
            disk.Close();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [RootFact("losetup")]
    public void A_block_device_is_used_with_its_own_block_size()
    {
        using var device = new LoopDevice(_directory.File("backing"), 16 << 20, 4096);
        LinuxDisk disk = LinuxDisk.Open(device.Path, isWritable: true, isExclusive: true);
        Assert.Equal(4096, disk.LogicalBlockBytes);
        Assert.Equal(16 << 20, disk.LengthBytes);
        Assert.True(disk.CanDiscard);
        Assert.Equal(4096, MirrorD.Io.Linux.Disks.DiskOpening.TryBlockBytes(disk.Fd)); // As on older kernels.
        Assert.Contains("in use", Refusal(device.Path), StringComparison.Ordinal);

        BufferSlice data = _driver.Buffer(1 << 20);
        data.Span.Fill(7);
        Assert.Equal(1 << 20, _driver.Do(operation => Loop.Write(disk, 0, data, true, operation)));
        Assert.Equal(0, _driver.Do(operation => Loop.Flush(disk, operation)));
        Assert.Equal(0, _driver.Do(operation => Loop.Zero(disk, 4096, (1 << 20) - 8192, false, operation)));
        Assert.Equal(1 << 20, _driver.Do(operation => Loop.Read(disk, 0, data, operation)));
        AssertOnlyEndsRemain(data);

        Assert.Equal((8 << 20, false), Query(disk, 0, 8 << 20));
        Assert.Equal(-Errno.EINVAL, Read(disk, 512, data.Slice(0, 512)));
        disk.Close();
    }

    [RootFact("losetup")]
    public void A_durable_write_and_a_flush_reach_stable_storage_and_a_plain_write_does_not()
    {
        using var device = new LoopDevice(_directory.File("backing"), 16 << 20, 512);
        LinuxDisk disk = LinuxDisk.Open(device.Path, isWritable: true, isExclusive: true);
        BufferSlice data = _driver.Buffer(4096);
        long start = device.CompletedFlushes();
        _driver.Do(operation => Loop.Write(disk, 0, data, false, operation));
        Assert.Equal(start, device.CompletedFlushes());
        _driver.Do(operation => Loop.Write(disk, 0, data, true, operation));

        // Of a write that a thread waits for, blkdev_write_iter in block/fops.c adds a flush to the FUA.
        long durable = device.CompletedFlushes();
        Assert.InRange(durable - start, 1, kind == LoopKind.Uring ? 1 : 2);
        _driver.Do(operation => Loop.Flush(disk, operation));
        Assert.Equal(durable + 1, device.CompletedFlushes());
        disk.Close();
    }

    [RootTheory("losetup")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_discard_reaches_the_block_device(bool byIoctl)
    {
        string backing = _directory.File("backing");
        using var device = new LoopDevice(backing, 16 << 20, 512);
        LinuxDisk disk = LinuxDisk.Open(device.Path, isWritable: true, isExclusive: true);
        disk.DiscardsByIoctl = byIoctl; // As after a refusal by a device that discards but can't zero.
        Assert.Equal(512, disk.LogicalBlockBytes);
        BufferSlice data = _driver.Buffer(8 << 20);
        data.Span.Fill(7);
        _driver.Do(operation => Loop.Write(disk, 0, data, true, operation));
        long before = AllocatedBytes(backing);
        Assert.True(before >= 8 << 20);

        Assert.Equal(0, _driver.Do(operation => Loop.Discard(disk, 0, 8 << 20, operation)));
        Assert.Equal(0, _driver.Do(operation => Loop.Flush(disk, operation)));
        Assert.InRange(AllocatedBytes(backing), 0, before - (7 << 20));
        disk.Close();
    }

    private LinuxDisk NewFile(long lengthBytes = 1 << 20)
    {
        string path = _directory.File("disk");
        LinuxDisk.CreateFile(path, lengthBytes);
        return LinuxDisk.Open(path, isWritable: true, isExclusive: true);
    }

    private int Read(LinuxDisk disk, long offset, BufferSlice into) =>
        _driver.Do(operation => Loop.Read(disk, offset, into, operation));

    private static string Refusal(string path) => Assert.Throws<IOException>(
        () => LinuxDisk.Open(path, isWritable: true, isExclusive: true)).Message;

    private (int LengthBytes, bool IsHole) Query(LinuxDisk disk, long offset, long lengthBytes)
    {
        IoOperation query = _driver.Operation();
        Loop.QueryAllocation(disk, offset, lengthBytes, query);
        _driver.RunUntil(() => !query.IsPending, "the allocation query");
        return (query.Result, query.IsHole);
    }

    private static long AllocatedBytes(string path) =>
        512 * long.Parse(Command.Run("stat", "--format=%b", path), CultureInfo.InvariantCulture);

    private static void AssertOnlyEndsRemain(BufferSlice data)
    {
        Assert.Equal(-1, data.Span[..4096].IndexOfAnyExcept((byte)7));
        Assert.Equal(-1, data.Span[4096..^4096].IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, data.Span[^4096..].IndexOfAnyExcept((byte)7));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}

public sealed class UringDiskTests() : LinuxDiskTests(LoopKind.Uring);

public sealed class EpollDiskTests() : LinuxDiskTests(LoopKind.Epoll);
