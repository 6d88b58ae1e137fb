namespace MirrorD.Simulator.Oracle;

/// <summary>
/// Knows from the clients' view alone (submissions, replies, deaths of nodes) which contents each sector may
/// have: each sector is a register, its mutations have a place in time between submission and reply, a flush
/// settles what came before it, a power cut unsettles what came after the last flush. Invariants 1, 2, 3 and
/// 9.
/// </summary>
public sealed partial class ResourceOracle(int volumes, long volumeBytes)
{
    private readonly SectorHistory?[][] _sectors =
        [.. Enumerable.Range(0, volumes).Select(_ => new SectorHistory?[volumeBytes / Stamp.SectorBytes])];

    private readonly Dictionary<(int Volume, long Sector), byte[]> _litter = [];
    private readonly Dictionary<(int Volume, long Sector), List<byte[]>> _beforeGrowth = [];
    private readonly HashSet<(int Volume, long Sector)> _unsettled = [];
    private readonly HashSet<Mutation> _inFlight = [];
    private readonly List<ReadInProgress> _reads = [];
    private long _clock;
    private long _numbers;

    /// <summary>Mutations submitted and neither replied to nor dead with their node.</summary>
    public IReadOnlyCollection<Mutation> InFlight => _inFlight;

    /// <summary>
    /// Any stamp is legal until the sector is written again: the operator chose to lose data.
    /// </summary>
    public bool AcceptsLoss { get; private set; }

    /// <summary>
    /// What a disk held before it was used is legal too: its copy was made to count before anything was copied to it.
    /// </summary>
    public bool AcceptsLitter { get; private set; }

    /// <summary>A client submits a mutation.</summary>
    public Mutation Submit(MutationKind kind, int volume, long offset, long lengthBytes, bool forceUnitAccess)
    {
        var mutation = new Mutation
        {
            Number = ++_numbers,
            Kind = kind,
            Volume = volume,
            FirstSector = offset / Stamp.SectorBytes,
            Sectors = (int)(lengthBytes / Stamp.SectorBytes),
            ForceUnitAccess = forceUnitAccess,
            SubmittedAt = ++_clock,
        };
        _inFlight.Add(mutation);
        for (int i = 0; i < mutation.Sectors; i++)
        {
            History(volume, mutation.FirstSector + i).Submitted(mutation);
            _unsettled.Add((volume, mutation.FirstSector + i));
        }

        _reads.ForEach(read => read.Overlap(mutation));
        return mutation;
    }

    /// <summary>The mutation was acknowledged.</summary>
    public void Acknowledge(Mutation mutation)
    {
        End(mutation);
        mutation.IsAcknowledged = true;
        for (int i = 0; i < mutation.Sectors; i++)
        {
            History(mutation.Volume, mutation.FirstSector + i).Acknowledged(mutation);
        }
    }

    /// <summary>The mutation failed: it may have taken effect until now, and no later.</summary>
    public void Fail(Mutation mutation) => End(mutation);

    /// <summary>The node that served died with these in flight; each may have taken effect or not.</summary>
    public void ServerDied(IEnumerable<Mutation> unanswered)
    {
        Mutation[] ended = [.. unanswered];
        Array.ForEach(ended, End);
        ServerDiedUnder(ended);
    }

    /// <summary>
    /// The node that served died, and whoever asked for these waits on: each may have taken effect, and be
    /// done again.
    /// </summary>
    public void ServerDiedUnder(IEnumerable<Mutation> unanswered)
    {
        foreach (Mutation mutation in unanswered)
        {
            for (int i = 0; i < mutation.Sectors; i++)
            {
                History(mutation.Volume, mutation.FirstSector + i).Crashed();
            }
        }
    }

    /// <summary>
    /// What is served from now on comes from a copy that lost power: unflushed data may be older again.
    /// </summary>
    public void RollBack() => RollBack((_, _) => true);

    /// <summary>The same for some sectors only.</summary>
    public void RollBack(Func<int, long, bool> mayBeOlder)
    {
        foreach ((int volume, long sector) in _unsettled)
        {
            if (mayBeOlder(volume, sector))
            {
                History(volume, sector).RolledBack();
            }
        }
    }

    /// <summary>The operator forced a promotion: from here on no content can be called wrong.</summary>
    public void AcceptLoss() => AcceptsLoss = true;

    /// <summary>A sector of a copy that does not count held this when the pair was made.</summary>
    public void Litter(int volume, long sector, ReadOnlySpan<byte> contents) =>
        _litter[(volume, sector)] = contents.ToArray();

    /// <summary>A sector of some copy held this before the volume grew by it.</summary>
    public void LitterGrowth(int volume, long sector, ReadOnlySpan<byte> contents)
    {
        if (!_beforeGrowth.TryGetValue((volume, sector), out List<byte[]>? copies))
        {
            _beforeGrowth[(volume, sector)] = copies = [];
        }

        copies.Add(contents.ToArray());
    }

    /// <summary>
    /// The operator forced the promotion of a copy that had never been UpToDate: what was not copied to it yet is as it was
    /// before. No other way leads there: a copy that became UpToDate by a full sync shows nothing of it ever again.
    /// </summary>
    public void AcceptLitter() => AcceptsLitter = true;

    /// <summary>
    /// Whether contents that are not possible are legal all the same since the operator chose to lose data: those of some
    /// write to this sector, or what the sector itself held when the pair was made, or before the volume grew by it.
    /// </summary>
    public bool IsLegalLoss(int volume, long sector, ReadOnlySpan<byte> contents) =>
        (AcceptsLoss && (Stamp.TryRead(contents, volume, sector, out _) || IsFromBeforeGrowth(volume, sector, contents)))
        || (AcceptsLitter && _litter.TryGetValue((volume, sector), out byte[]? litter) && contents.SequenceEqual(litter));

    /// <summary>A read begins.</summary>
    public ReadInProgress BeginRead(int volume, long offset, long lengthBytes)
    {
        long first = offset / Stamp.SectorBytes;
        var possible = new List<Mutation>[lengthBytes / Stamp.SectorBytes];
        for (int i = 0; i < possible.Length; i++)
        {
            possible[i] = [.. History(volume, first + i).Possible];
        }

        var read = new ReadInProgress(volume, first, possible, ++_clock);
        _reads.Add(read);
        return read;
    }

    /// <summary>A read failed or died with its node.</summary>
    public void DropRead(ReadInProgress read) => _reads.Remove(read);

    /// <summary>A read was answered: throws when a sector holds what it can't.</summary>
    public void EndRead(ReadInProgress read, ReadOnlySpan<byte> data)
    {
        _clock++;
        _reads.Remove(read);
        for (int i = 0; i < read.Possible.Length; i++)
        {
            long sector = read.FirstSector + i;
            Check(read, i, sector, data.Slice(i * Stamp.SectorBytes, Stamp.SectorBytes));
        }
    }

    /// <summary>A flush begins.</summary>
    public FlushInProgress BeginFlush()
    {
        var flush = new FlushInProgress(++_clock);
        foreach ((int volume, long sector) in _unsettled)
        {
            flush.Possible.Add((volume, sector, [.. History(volume, sector).Possible]));
        }

        return flush;
    }

    /// <summary>A flush was acknowledged: what was over when it began is durable.</summary>
    public void EndFlush(FlushInProgress flush)
    {
        _clock++;
        foreach ((int volume, long sector, List<Mutation> possible) in flush.Possible)
        {
            SectorHistory history = History(volume, sector);
            history.Flushed(possible, flush.BeganAt);
            if (!history.IsUnsettled)
            {
                _unsettled.Remove((volume, sector));
            }
        }
    }

    /// <summary>Whether the contents may be what the sector holds now.</summary>
    public bool MayHoldNow(int volume, long sector, ReadOnlySpan<byte> contents) =>
        Matches(History(volume, sector).Possible, volume, sector, contents);

    /// <summary>Whether the contents may be what a copy that counts holds after a power cut now.</summary>
    public bool MayHoldAfterPowerCut(int volume, long sector, ReadOnlySpan<byte> contents) =>
        Matches(History(volume, sector).Unsettled, volume, sector, contents);

    /// <summary>Whether the contents are those of one of these.</summary>
    public static bool IsOneOf(List<Mutation> possible, int volume, long sector, ReadOnlySpan<byte> contents) =>
        Matches(possible, volume, sector, contents);

    /// <summary>What the sector may hold now, for messages.</summary>
    public string Describe(int volume, long sector) =>
        string.Join("; ", History(volume, sector).Possible.Select(mutation => mutation.ToString()));

    /// <summary>What the contents are, for messages.</summary>
    public static string Describe(int volume, long sector, ReadOnlySpan<byte> contents) =>
        Stamp.TryRead(contents, volume, sector, out long write)
            ? write == 0 ? "zeroes" : $"write {write}"
            : "no stamp of this sector";

    private static bool Matches(List<Mutation> set, int volume, long sector, ReadOnlySpan<byte> contents)
    {
        bool stamped = Stamp.TryRead(contents, volume, sector, out long write);
        return set.Exists(mutation => mutation.Leaves == -1 || (stamped && mutation.Leaves == write));
    }

    private void Check(ReadInProgress read, int index, long sector, ReadOnlySpan<byte> contents)
    {
        SectorHistory history = History(read.Volume, sector);
        bool stamped = Stamp.TryRead(contents, read.Volume, sector, out long write);
        List<Mutation> matching = history.Possible.FindAll(Fits);
        if (matching.Count > 0)
        {
            history.Seen(matching, read.BeganAt);
            return;
        }

        // Overwritten while the read was under way: what was possible when it began, or came and went since.
        if (read.Possible[index].Exists(Fits) || IsLegalLoss(read.Volume, sector, contents))
        {
            return;
        }

        throw new RuleBroken("I-1/2/3", $"a read of sector {sector} of volume {read.Volume} found "
            + $"{Describe(read.Volume, sector, contents)}; possible: {Describe(read.Volume, sector)}");

        bool Fits(Mutation mutation) => mutation.Leaves == -1 || (stamped && mutation.Leaves == write);
    }

    private bool IsFromBeforeGrowth(int volume, long sector, ReadOnlySpan<byte> contents)
    {
        if (_beforeGrowth.TryGetValue((volume, sector), out List<byte[]>? copies))
        {
            foreach (byte[] copy in copies)
            {
                if (contents.SequenceEqual(copy))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void End(Mutation mutation)
    {
        if (!_inFlight.Remove(mutation))
        {
            throw new InvalidOperationException($"{mutation} ended twice.");
        }

        mutation.EndedAt = ++_clock;
    }

    private SectorHistory History(int volume, long sector) =>
        _sectors[volume][sector] ??= new SectorHistory();
}
