using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Checks;

/// <summary>A mutation that was answered before the peer had it: which of its sectors have come there since.</summary>
/// <param name="mutation">The mutation.</param>
/// <param name="copy">The peer's copy of its volume.</param>
public sealed class AnsweredAhead(Mutation mutation, VolumeCopy copy)
{
    private readonly bool[] _isThere = new bool[mutation.Sectors];
    private readonly byte[] _sector = new byte[Stamp.SectorBytes];
    private int _missing = mutation.Sectors;

    /// <summary>The mutation.</summary>
    public Mutation Mutation => mutation;

    /// <summary>The connection over which it was sent is still there.</summary>
    public bool IsOnItsWay { get; set; } = true;

    /// <summary>It was answered while the node mirrored: the peer has received what the mode asks for.</summary>
    public bool WasMirrored { get; init; }

    /// <summary>The peer's copy of its volume, which does not have all of it yet.</summary>
    public VolumeCopy Copy => copy;

    /// <summary>Bytes of its range.</summary>
    public long LengthBytes => (long)mutation.Sectors * Stamp.SectorBytes;

    /// <summary>
    /// A part of a copy has changed: true when all of the mutation has come to the peer by now. What it overlaps comes
    /// later, so each of its sectors is seen there once.
    /// </summary>
    public bool HasAll(VolumeCopy changed, long offset, long length)
    {
        if (changed != copy)
        {
            return false;
        }

        long first = Math.Max(mutation.FirstSector, offset / Stamp.SectorBytes);
        long end = Math.Min(mutation.FirstSector + mutation.Sectors,
            (offset + length + Stamp.SectorBytes - 1) / Stamp.SectorBytes);
        for (long sector = first; sector < end; sector++)
        {
            ref bool isThere = ref _isThere[sector - mutation.FirstSector];
            if (!isThere && IsThere(sector))
            {
                isThere = true;
                _missing--;
            }
        }

        return _missing == 0;
    }

    private bool IsThere(long sector)
    {
        copy.Data.Peek(sector * Stamp.SectorBytes, _sector);

        // A discard is passed on as zeroes.
        return Stamp.TryRead(_sector, mutation.Volume, sector, out long write) && write == Math.Max(0, mutation.Leaves);
    }
}
