namespace MirrorD.Simulator.Checks;

/// <summary>
/// Keeps the set of blocks in which the two copies of a volume differ, by looking at the disks.
/// </summary>
public sealed class CopyComparison
{
    private const int BlockBytes = 4096;

    private readonly HashSet<long> _touched = [];
    private readonly HashSet<long> _differing = [];
    private readonly byte[] _blockOfA = new byte[BlockBytes];
    private readonly byte[] _blockOfB = new byte[BlockBytes];

    /// <summary>Compares everything once, and from then on what changes.</summary>
    public CopyComparison(VolumeCopy a, VolumeCopy b)
    {
        A = a;
        B = b;
        Blocks = Math.Min(a.Placement.DataBytes, b.Placement.DataBytes) / BlockBytes;
        for (long block = 0; block < Blocks; block++)
        {
            Compare(block);
        }

        A.DataChanged += Changed;
        B.DataChanged += Changed;
        A.MetadataChanged += CheckAll;
        B.MetadataChanged += CheckAll;
    }

    /// <summary>Node a's copy.</summary>
    public VolumeCopy A { get; }

    /// <summary>Node b's copy.</summary>
    public VolumeCopy B { get; }

    /// <summary>Blocks of the volume.</summary>
    public long Blocks { get; }

    /// <summary>Blocks whose contents differ now and that belong to the volume by what either node has stored.</summary>
    public IEnumerable<long> Differing => _differing.Where(IsUsed);

    /// <summary>Blocks that were ever written on either node.</summary>
    public IReadOnlyCollection<long> Touched => _touched;

    /// <summary>The sync set is checked at each change (I-6).</summary>
    public bool ChecksSyncSet { get; set; }

    /// <summary>
    /// From this block on the disks are changed behind the daemons' backs: there a difference breaks no rule by itself.
    /// </summary>
    public long ReservedFrom { get; set; } = long.MaxValue;

    /// <summary>Told of each change of a block from there on, except of a power cut.</summary>
    public Action<long>? ReservedChanged { get; set; }

    /// <summary>Compares every block afresh.</summary>
    public void CompareAll()
    {
        for (long block = 0; block < Blocks; block++)
        {
            Compare(block);
        }
    }

    private void Changed(long offset, long length)
    {
        if (length >= A.Placement.DataBytes)
        {
            foreach (long block in _touched)
            {
                Compare(block);
            }

            CheckAll();
            return;
        }

        for (long block = offset / BlockBytes; block * BlockBytes < offset + length; block++)
        {
            _touched.Add(block);
            Compare(block);
            if (block >= ReservedFrom)
            {
                ReservedChanged?.Invoke(block);
            }
            else if (ChecksSyncSet && _differing.Contains(block) && IsUsed(block))
            {
                Check(block);
            }
        }
    }

    private void CheckAll()
    {
        if (ChecksSyncSet)
        {
            foreach (long block in Differing)
            {
                if (block >= ReservedFrom)
                {
                    continue;
                }

                Check(block);
            }
        }
    }

    private bool IsUsed(long block) =>
        block < Blocks && (block + 1) * BlockBytes <= Math.Max(A.StoredBytes, B.StoredBytes);

    private void Check(long block)
    {
        if (!A.Stored.Covers(block) && !B.Stored.Covers(block) && BitmapDecides())
        {
            throw new RuleBroken("I-6", $"block {block} of volume {A.Volume} differs and is in "
                + "neither dirty map and neither activity log");
        }
    }

    /// <summary>By the stored generations the next sync would be one by dirty maps, not a full one.</summary>
    private bool BitmapDecides()
    {
        if (A.Stored.Superblock is not { } a || B.Stored.Superblock is not { } b
            || a.JustCreated || b.JustCreated || a.FullSyncNeeded || b.FullSyncNeeded)
        {
            return false;
        }

        return a.Current.Matches(b.Current) || a.Current.Matches(b.Bitmap) || b.Current.Matches(a.Bitmap);
    }

    private void Compare(long block)
    {
        A.Data.Peek(block * BlockBytes, _blockOfA);
        B.Data.Peek(block * BlockBytes, _blockOfB);
        if (_blockOfA.AsSpan().SequenceEqual(_blockOfB))
        {
            _differing.Remove(block);
        }
        else
        {
            _differing.Add(block);
        }
    }
}
