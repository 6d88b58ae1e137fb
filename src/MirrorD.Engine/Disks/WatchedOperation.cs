using MirrorD.Io;

namespace MirrorD.Engine.Disks;

/// <summary>What a loop gets in place of a user's operation on a disk; reused.</summary>
internal sealed class WatchedOperation
{
    public WatchedOperation(Action<IoOperation> ended) => Inner = new IoOperation(ended, this);

    /// <summary>The operation that the loop has.</summary>
    public IoOperation Inner { get; }

    /// <summary>Whose it is; null once it was given up.</summary>
    public IoOperation? User { get; set; }

    /// <summary>The disk.</summary>
    public IDisk? Disk { get; set; }

    /// <summary>The buffer that it reads from or writes to; null where there is none.</summary>
    public IoBuffer? Buffer { get; set; }

    /// <summary>Ticks that it has been pending.</summary>
    public int Ticks { get; set; }

    /// <summary>Place among those that are pending.</summary>
    public int Index { get; set; }
}
