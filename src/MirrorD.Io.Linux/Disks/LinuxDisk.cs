using MirrorD.Io.Linux.Disks;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux;

/// <summary>A block device or preallocated file, opened with O_DIRECT: the page cache is not used.</summary>
public sealed unsafe class LinuxDisk : IDisk
{
    private const int MaxRunBytes = 1 << 30;

    private bool _isClosed;

    private LinuxDisk(string name, int fd, bool isWritable, DiskGeometry geometry)
    {
        Name = name;
        Fd = fd;
        IsWritable = isWritable;
        LengthBytes = geometry.LengthBytes;
        LogicalBlockBytes = geometry.LogicalBlockBytes;
        CanDiscard = isWritable && geometry.CanDiscard;
        UnmapsZeroes = isWritable && geometry.UnmapsZeroes;
        IsBlockDevice = geometry.IsBlockDevice;
        IsInMemory = geometry.IsInMemory;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long LengthBytes { get; private set; }

    /// <inheritdoc/>
    public int LogicalBlockBytes { get; }

    /// <inheritdoc/>
    public bool CanDiscard { get; }

    /// <inheritdoc/>
    public bool UnmapsZeroes { get; }

    /// <summary>Opened for writing too.</summary>
    public bool IsWritable { get; }

    /// <summary>A block device; otherwise a file.</summary>
    internal bool IsBlockDevice { get; }

    /// <summary>A file in memory: what is read or written is a copy, which no thread has to wait for.</summary>
    internal bool IsInMemory { get; }

    /// <summary>The device discards but can't zero by it: fallocate(2) was refused.</summary>
    internal bool DiscardsByIoctl { get; set; }

    /// <summary>The file descriptor.</summary>
    internal int Fd { get; }

    /// <summary>Operations that a loop has in the kernel.</summary>
    internal int PendingOperations { get; set; }

    /// <summary>The threads that an <see cref="EpollLoop"/> has for it.</summary>
    internal Epoll.DiskWorkers? Workers { get; set; }

    /// <summary>
    /// Opens a disk. With <paramref name="isExclusive"/> a second exclusive opener, of this or another
    /// process, is refused: a file is locked, a block device must not be mounted or part of something else.
    /// </summary>
    /// <exception cref="IOException">The message names path, cause and remedy.</exception>
    public static LinuxDisk Open(string path, bool isWritable, bool isExclusive)
    {
        int fd = DiskOpening.Open(path, isWritable, isExclusive, out DiskGeometry geometry);
        return new LinuxDisk(path, fd, isWritable, geometry);
    }

    /// <summary>Makes a file with all its room allocated, and stores it and its name durably.</summary>
    /// <param name="path">Must not exist.</param>
    /// <param name="lengthBytes">A multiple of 4096.</param>
    /// <exception cref="IOException">
    /// The file exists, there is no room, or the file system can't preallocate.
    /// </exception>
    public static void CreateFile(string path, long lengthBytes) => DiskFile.Create(path, lengthBytes);

    /// <inheritdoc/>
    public void LookAgain() => LengthBytes = DiskOpening.LengthOf(Fd, IsBlockDevice, LogicalBlockBytes) ?? LengthBytes;

    /// <inheritdoc/>
    public void Close()
    {
        if (PendingOperations > 0)
        {
            throw new InvalidOperationException($"{Name} has {PendingOperations} operations pending.");
        }

        if (!_isClosed)
        {
            _isClosed = true;
            Workers?.End();

            // A lock lives as long as any copy of the descriptor, and a program that another thread starts just now has
            // one until its exec. Without this the next opener here would be told that another process uses the disk.
            _ = Fcntl.flock(Fd, Fcntl.LOCK_UN);
            _ = Unistd.close(Fd);
        }
    }

    /// <summary>Length of the run at the offset, or a negative errno.</summary>
    internal int QueryAllocation(long offset, long lengthBytes, out bool isHole)
    {
        long limit = long.Min(lengthBytes, MaxRunBytes);
        isHole = false;
        if (IsBlockDevice)
        {
            return (int)limit; // No block device tells what it has allocated.
        }

        long data = Unistd.lseek(Fd, offset, Unistd.SEEK_DATA);
        if (data < 0 && LinuxError.Last != LinuxError.ENXIO)
        {
            return -LinuxError.Last;
        }

        long end = data == offset ? Unistd.lseek(Fd, offset, Unistd.SEEK_HOLE) : data;
        if (end < 0 && data == offset)
        {
            return -LinuxError.Last;
        }

        // No data up to the end of the file: a hole. A boundary inside a block belongs to the data.
        long run = end < 0 ? limit : long.Min(end - offset, limit);
        long remainder = run % LogicalBlockBytes;
        if (data == offset)
        {
            return (int)long.Min(limit, remainder == 0 ? run : run - remainder + LogicalBlockBytes);
        }

        isHole = run >= LogicalBlockBytes;
        return (int)(isHole ? run - remainder : LogicalBlockBytes);
    }
}
