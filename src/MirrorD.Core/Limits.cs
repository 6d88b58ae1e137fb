namespace MirrorD.Core;

/// <summary>Named limits: each with its unit, the reason for its value, and what happens beyond it.</summary>
public static class Limits
{
    /// <summary>Bytes that one bit of the dirty map stands for: a page, the unit in which clients write.</summary>
    public const int BlockBytes = 4096;

    /// <summary>
    /// Bytes of an activity-log extent. Larger: fewer log writes, more to resync after a crash of the primary.
    /// </summary>
    public const int ExtentBytes = 4 * 1024 * 1024;

    /// <summary>
    /// Extents active at once per volume: what fits one 4 KiB log transaction. When all are in use, a write
    /// waits until one is clean.
    /// </summary>
    public const int ActiveExtents = 960;

    /// <summary>Clean extents given up together, so that random writes don't pay a scan for each one.</summary>
    public const int ExtentEvictionBatch = 32;

    /// <summary>
    /// With less than one in so many extents of the log free or clean, a write that takes another one has a checkpoint begin,
    /// so that none has to wait for it. Smaller: more flushes for writes all over a volume.
    /// </summary>
    public const int ReservedShareOfExtents = 8;

    /// <summary>
    /// Bytes written above the durable point before the primary asks for a flush by itself. Bounds what a link
    /// loss makes dirty, and the memory of the tracker.
    /// </summary>
    public const long UnstableBytes = 64 * 1024 * 1024;

    /// <summary>Ranges above the durable point before the primary asks for a flush by itself.</summary>
    public const int UnstableRanges = 65536;

    /// <summary>
    /// Mutations at once whose clients were answered ahead of the peer (modes memory and async). Each holds its range, and
    /// ranges are looked through one by one. Beyond: async waits before it sends, memory until the peer has completed it.
    /// </summary>
    public const int AheadWrites = 4096;

    /// <summary>Blocks of one resync copy: fills one slot of 128 KiB; also the bits of its mask.</summary>
    public const int CopyBlocks = 32;

    /// <summary>
    /// Copies under way at first, and at least, while no client asks for anything and none did for <see cref="QuietNs"/>:
    /// enough to fill a fast link.
    /// </summary>
    public const int CopiesWhenIdle = 16;

    /// <summary>
    /// Copies under way at most, as long as they end within <see cref="QuickCopyNs"/>: what keeps fast disks of both sides at
    /// work. As many slots of 128 KiB are made for them.
    /// </summary>
    public const int MostCopies = 48;

    /// <summary>
    /// After a copy that took longer, in nanoseconds, one less is under way: a client that asks for something again queues
    /// behind all that are.
    /// </summary>
    public const long QuickCopyNs = 20_000_000;

    /// <summary>Copies under way while no write of a client is: what its next request may queue behind.</summary>
    public const int CopiesBetweenRequests = 8;

    /// <summary>Copies under way while clients write, so that a write never queues behind much of resync.</summary>
    public const int CopiesWhenBusy = 2;

    /// <summary>Without a request for so long, in nanoseconds, clients count as quiet.</summary>
    public const long QuietNs = 1_000_000_000;

    /// <summary>
    /// Copies that have ended before both sides flush and their bits are cleared: 32 MiB. Larger: the disks have more at once
    /// to flush while they are to read and write.
    /// </summary>
    public const int CopiesPerFlush = 256;

    /// <summary>
    /// Copies begin while both sides flush; with so many times <see cref="CopiesPerFlush"/> not flushed none does: what a
    /// crash of either side has copied again, and what each client's write is compared with.
    /// </summary>
    public const int FlushesOfCopies = 2;

    /// <summary>
    /// With no more dirty blocks than this the copies keep their range locks until they are flushed, so that a
    /// block that is written again and again can't keep a resync from ending.
    /// </summary>
    public const int FinalBlocks = 2048;

    /// <summary>
    /// A peer that is connected and says nothing of the handshake for so long, in nanoseconds, is given up: a Primary
    /// holds its requests meanwhile. Longer than any store of metadata takes.
    /// </summary>
    public const long JoinSilenceNs = 30_000_000_000;

    /// <summary>
    /// A Standby whose disk failed stores that before it leaves, in nanoseconds at most: its Primary waits meanwhile.
    /// </summary>
    public const long FarewellNs = 2_000_000_000;

    /// <summary>
    /// A disconnect waits so long, in nanoseconds, for a state in which it freezes nothing (a join that ends, the Standby's
    /// Outdated); then it is given up, and the nodes stay connected.
    /// </summary>
    public const long LeavePatienceNs = 10_000_000_000;

    /// <summary>
    /// Beyond its link timeout a node may take this long to notice a loss (two ticks of its loop). Too short, and an
    /// old primary could still serve reads when the other node has taken over.
    /// </summary>
    public const long LossNoticeNs = 200_000_000;

    /// <summary>Ranges of a verify under way while clients are quiet; else one. Each is as large as a resync copy.</summary>
    public const int VerifyRangesWhenIdle = 2;

    /// <summary>Bytes per second of a verify without ceiling while clients ask for something.</summary>
    public const long VerifyBusyBytes = 32 * 1024 * 1024;

    /// <summary>Ranges that a verify lists; those beyond it are only counted.</summary>
    public const int VerifyFindings = 64;

    /// <summary>Generations remembered (metadata layout).</summary>
    public const int HistoryLength = 32;
}
