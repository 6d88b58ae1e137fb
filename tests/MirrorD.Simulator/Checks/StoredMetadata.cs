using MirrorD.Core.Metadata;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Checks;

/// <summary>What one volume of one node has on its metadata disk, decoded from the bytes there.</summary>
public sealed class StoredMetadata
{
    private const int BlocksPerExtent = 1024;

    private readonly HashSet<uint>? _extents;
    private readonly bool[] _dirty;

    private StoredMetadata(Superblock? superblock, HashSet<uint>? extents, bool[] dirty)
    {
        Superblock = superblock;
        _extents = extents;
        _dirty = dirty;
    }

    /// <summary>The valid slot with the higher sequence; null when there is none.</summary>
    public Superblock? Superblock { get; }

    /// <summary>Whether the block is in the dirty map or in an extent of the activity log.</summary>
    public bool Covers(long block) =>
        _dirty[block] || _extents is null || _extents.Contains((uint)(block / BlocksPerExtent));

    /// <summary>The dirty map has blocks of which the activity log knows nothing.</summary>
    public bool HasBlocksOnlyInMap => _extents is not null
        && _dirty.Index().Any(block => block.Item && !_extents.Contains((uint)(block.Index / BlocksPerExtent)));

    /// <summary>A proof for the present session, or a peer that is excluded.</summary>
    public bool HasProof => Superblock is { } stored
        && (stored.PeerExcluded || (stored.Proof.Kind != Formats.ProofKind.None
            && stored.Proof.Session == stored.Session));

    /// <summary>A generation was started since the peer was lost.</summary>
    public bool HasGeneration => Superblock is { Bitmap.IsNone: false, PeerMayHaveCurrent: false };

    /// <summary>Decodes the bytes of a metadata area.</summary>
    public static StoredMetadata Decode(ReadOnlySpan<byte> area, MetadataPlacement placement, int volume)
    {
        Superblock? newest = null;
        for (int slot = 0; slot < MetadataLayout.SuperblockSlots; slot++)
        {
            ReadOnlySpan<byte> block = area.Slice((int)MetadataLayout.SuperblockOffset(slot), 4096);
            if (SuperblockCodec.TryDecode(block).Superblock is { } found
                && (newest is null || found.Sequence > newest.Sequence))
            {
                newest = found;
            }
        }

        ReadOnlySpan<byte> ring = area.Slice((int)MetadataLayout.LogOffset, ActivityLogRing.LengthBytes);
        ActivityLogReading log = ActivityLogRing.Recover(ring, volume);
        var layout = new MetadataLayout(placement.DataBytes);
        bool[] dirty = new bool[(placement.DataBytes + 4095) / 4096];
        for (int page = 0; page < layout.PageCount; page++)
        {
            ReadPage(area.Slice((int)layout.PageOffset(page), 4096), page, volume, dirty);
        }

        return new StoredMetadata(newest, log.IsTrusted ? [.. log.Extents] : null, dirty);
    }

    private static void ReadPage(ReadOnlySpan<byte> bytes, int page, int volume, bool[] dirty)
    {
        long first = (long)page * DirtyPageCodec.BlocksPerPage;
        long count = Math.Min(DirtyPageCodec.BlocksPerPage, dirty.Length - first);
        MetadataError error = DirtyPageCodec.Decode(bytes, page, volume, out ReadOnlySpan<byte> bits);
        bool damaged = error != MetadataError.None;
        for (int i = 0; i < count; i++)
        {
            dirty[first + i] = damaged || (bits[i / 8] >> (i % 8) & 1) != 0;
        }
    }
}
