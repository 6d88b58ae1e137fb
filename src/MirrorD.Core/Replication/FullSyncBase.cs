using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Replication;

/// <summary>
/// Makes a full sync resumable. The source first marks everything dirty, durably, and counts that from a
/// bitmap generation; the target takes this generation as its current one when it stores J1. A later
/// handshake then finds S = Pb: the source is ahead by exactly its dirty map, and the sync goes on as a
/// bitmap sync.
/// </summary>
public static class FullSyncBase
{
    /// <summary>The source's part, after everything dirty is durable.</summary>
    public static Superblock Count(Superblock source, Generation fresh) => source with
    {
        Bitmap = source.Bitmap.IsNone ? fresh : source.Bitmap,
        JustCreated = false,
    };

    /// <summary>The target's part, within J1: nothing of its old history counts any more.</summary>
    public static Superblock Adopt(Superblock target, Generation fullSyncBase) => target with
    {
        Current = fullSyncBase,
        Bitmap = Generation.None,
        History = [],
        JustCreated = false,
        FullSyncNeeded = false,
    };
}
