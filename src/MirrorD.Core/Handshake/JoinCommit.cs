using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Handshake;

/// <summary>What the source has stored in J4 and the target takes over in J5.</summary>
/// <param name="Source">The source's node.</param>
/// <param name="SourceBoot">This run of its host.</param>
/// <param name="ResourceId">Id of the resource.</param>
/// <param name="Session">The new session.</param>
/// <param name="Current">The source's current generation.</param>
/// <param name="History">The source's history.</param>
/// <param name="Promotions">The source's promotions.</param>
public sealed record JoinCommit(
    NodeId Source, BootId SourceBoot, Guid ResourceId, SessionId Session, Generation Current,
    IReadOnlyList<Generation> History, ulong Promotions)
{
    /// <summary>From the superblock that J4 stored.</summary>
    public static JoinCommit Of(Superblock stored, BootId boot) => new(
        stored.Node, boot, stored.ResourceId, stored.Session, stored.Current, stored.History,
        stored.Promotions);
}
