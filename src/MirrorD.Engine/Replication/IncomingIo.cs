using MirrorD.Core.Replication;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>A received mutation with its slot and its local operation; reused.</summary>
internal sealed class IncomingIo : IncomingWrite
{
    public IncomingIo(Action<IoOperation> localDone) => Local = new IoOperation(localDone, this);

    /// <summary>The operation on the backing disk.</summary>
    public IoOperation Local { get; }

    /// <summary>Loop time at which it was here as a whole.</summary>
    public long ArrivedNs { get; set; }

    /// <summary>The slot that holds the data; null for a zero.</summary>
    public IoBuffer? Slot { get; set; }

    /// <summary>The zero itself is done; its flush is under way.</summary>
    public bool IsFlushing { get; set; }
}
