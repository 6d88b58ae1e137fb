namespace MirrorD.Simulator.Oracle;

/// <summary>A copy takes over that was behind (mode async).</summary>
public sealed partial class ResourceOracle
{
    /// <summary>Reads a sector of the copy.</summary>
    public delegate void SectorReader(int volume, long sector, Span<byte> contents);

    /// <summary>
    /// The contents now come from a copy that did not get the latest writes. What it holds must be what there was at some
    /// moment: a write that is there proves each one that was answered before it began (I-10).
    /// </summary>
    /// <returns>Bytes of answered mutations that it lacks, wholly or in part.</returns>
    public long FallBehind(SectorReader read)
    {
        Mutation? newestThere = null;
        Mutation? firstLost = null;
        HashSet<Mutation> lost = [];
        byte[] contents = new byte[Stamp.SectorBytes];
        foreach ((int volume, long sector) in _unsettled)
        {
            SectorHistory history = History(volume, sector);
            read(volume, sector, contents);
            if (TheOnlyOne(history.Behind, volume, sector, contents) is not { } there)
            {
                continue;
            }

            newestThere = newestThere?.SubmittedAt > there.SubmittedAt ? newestThere : there;
            if (history.Possible.Contains(there))
            {
                // Legal as it is: what came after it was lost by an earlier failure, or was never answered.
                continue;
            }

            foreach (Mutation missing in history.Behind.Where(other => other.IsAcknowledged && there.IsBefore(other)))
            {
                lost.Add(missing);
                firstLost = firstLost?.EndedAt < missing.EndedAt ? firstLost : missing;
            }
        }

        if (firstLost is not null && newestThere is not null && firstLost.IsBefore(newestThere))
        {
            throw new RuleBroken("I-10", $"a takeover shows {newestThere} and lacks {firstLost}, which was answered "
                + "before that one began");
        }

        foreach ((int volume, long sector) in _unsettled)
        {
            History(volume, sector).FellBehind();
        }

        return lost.Sum(mutation => (long)mutation.Sectors * Stamp.SectorBytes);
    }

    /// <summary>The mutation that left these contents; null when there are several, or none.</summary>
    private static Mutation? TheOnlyOne(List<Mutation> of, int volume, long sector, ReadOnlySpan<byte> contents)
    {
        if (!Stamp.TryRead(contents, volume, sector, out long write) || of.Exists(mutation => mutation.Leaves == -1))
        {
            return null;
        }

        List<Mutation> matching = of.FindAll(mutation => mutation.Leaves == write);
        return matching.Count == 1 ? matching[0] : null;
    }
}
