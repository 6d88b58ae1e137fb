using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Handshake;

/// <summary>
/// How the stored state of a resource changes when a history goes on, when a node promotes, and in the steps
/// J1–J6 (safety contract, section 4). Pure: each takes a volume's superblock and gives the one to store; a
/// resource applies the same change to all its volumes before the next step.
/// </summary>
public static partial class GenerationRules
{
    /// <summary>
    /// The resource's own fields agree: generations, session and promotions. Volumes that disagree are a
    /// split brain of the resource.
    /// </summary>
    public static bool Agree(Superblock one, Superblock other) =>
        one.Current == other.Current && one.Bitmap == other.Bitmap && one.Session == other.Session
        && one.Promotions == other.Promotions;

    /// <summary>
    /// A proof of its own session, or the peer is excluded since the last join: the node may go on alone from
    /// this session.
    /// </summary>
    public static bool HasValidProof(Superblock superblock) =>
        superblock.PeerExcluded
        || (superblock.Proof.Kind != ProofKind.None && superblock.Proof.Session == superblock.Session);

    /// <summary>
    /// A generation has been started since the last join; degraded completions need no other. From J4 to J6
    /// the peer may have the current one, so that it does not count.
    /// </summary>
    public static bool HoldsOwnGeneration(Superblock superblock) =>
        !superblock.Bitmap.IsNone && !superblock.PeerMayHaveCurrent;

    /// <summary>
    /// A new generation: before the first degraded completion after the link was lost, or at a promotion
    /// without a joined peer. Not needed while <see cref="HoldsOwnGeneration"/>.
    /// </summary>
    /// <param name="superblock">The stored state.</param>
    /// <param name="fresh">Never used before.</param>
    public static Superblock StartNew(Superblock superblock, Generation fresh)
    {
        Invariant.Require(!fresh.IsNone && fresh != superblock.Current,
            "a new generation is a new identifier");
        return superblock with
        {
            Current = fresh,
            Bitmap = superblock.Current,
            History = Merge(fresh, [superblock.Bitmap], superblock.History),
            PeerMayHaveCurrent = false,
        };
    }

    /// <summary>For a promotion: above both nodes' known values.</summary>
    public static Superblock RaisePromotions(Superblock superblock, ulong peerPromotions) =>
        superblock with { Promotions = Math.Max(superblock.Promotions, peerPromotions) + 1 };

    /// <summary>On connect: the maximum of both.</summary>
    public static Superblock LevelPromotions(Superblock superblock, ulong peerPromotions) =>
        superblock with { Promotions = Math.Max(superblock.Promotions, peerPromotions) };

    /// <summary>Newest first, each once, without the current one, at most 32: the oldest fall off.</summary>
    private static Generation[] Merge(
        Generation current, params ReadOnlySpan<IReadOnlyList<Generation>> parts)
    {
        var merged = new List<Generation>(SuperblockCodec.MaximumHistory);
        foreach (IReadOnlyList<Generation> part in parts)
        {
            foreach (Generation generation in part)
            {
                if (merged.Count < SuperblockCodec.MaximumHistory && !generation.IsNone
                    && generation != current
                    && !merged.Contains(generation))
                {
                    merged.Add(generation);
                }
            }
        }

        return [.. merged];
    }
}
