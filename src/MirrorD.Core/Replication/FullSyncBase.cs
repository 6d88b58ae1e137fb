using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Replication;

/// <summary>
/// Makes a full sync resumable. The source first marks everything dirty, durably, and starts a generation unless it
/// holds one: its bitmap generation then is that since which everything is dirty. The target takes it as its current
/// one when it stores J1. A later handshake finds S = Pb: the source is ahead by exactly its dirty map, and the sync
/// goes on as a bitmap sync. A bitmap generation without a current one of its own would not do: what the source then
/// writes alone, with the link lost before J1, would stay in a generation that the target has as well.
/// </summary>
public static class FullSyncBase
{
    /// <summary>The source's part, after everything dirty is durable.</summary>
    public static Superblock Count(Superblock source, Generation fresh) =>
        (GenerationRules.HoldsOwnGeneration(source) ? source : GenerationRules.StartNew(source, fresh)) with
        {
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
