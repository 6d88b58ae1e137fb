namespace MirrorD.Simulator.Oracle;

/// <summary>A read that was submitted: what each of its sectors could hold since then.</summary>
public sealed record ReadInProgress(int Volume, long FirstSector, List<Mutation>[] Possible, long BeganAt)
{
    /// <summary>A mutation was submitted while the read is under way.</summary>
    internal void Overlap(Mutation mutation)
    {
        if (mutation.Volume != Volume)
        {
            return;
        }

        long from = Math.Max(FirstSector, mutation.FirstSector);
        long to = Math.Min(FirstSector + Possible.Length, mutation.FirstSector + mutation.Sectors);
        for (long sector = from; sector < to; sector++)
        {
            Possible[sector - FirstSector].Add(mutation);
        }
    }
}

/// <summary>A flush that was submitted: what each unsettled sector could hold at that time.</summary>
public sealed record FlushInProgress(long BeganAt)
{
    /// <summary>The unsettled sectors.</summary>
    public List<(int Volume, long Sector, List<Mutation> Possible)> Possible { get; } = [];
}
