namespace MirrorD.Io.Linux.Disks;

/// <summary>What an opened disk is like.</summary>
/// <param name="IsBlockDevice">A block device; otherwise a regular file.</param>
/// <param name="LengthBytes">Size, rounded down to whole blocks.</param>
/// <param name="LogicalBlockBytes">What offsets and lengths of direct I/O are multiples of.</param>
/// <param name="CanDiscard">Room can be given back.</param>
/// <param name="UnmapsZeroes">Room can be given back such that zeroes are read from there.</param>
/// <param name="IsInMemory">A file in memory (tmpfs).</param>
internal readonly record struct DiskGeometry(
    bool IsBlockDevice, long LengthBytes, int LogicalBlockBytes, bool CanDiscard, bool UnmapsZeroes,
    bool IsInMemory);
