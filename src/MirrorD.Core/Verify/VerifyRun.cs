namespace MirrorD.Core.Verify;

/// <summary>Where a running verify is, and what it has found. Goes through the volumes in order, range by range.</summary>
internal sealed class VerifyRun(IReadOnlyList<long> volumeBytes, bool repairs, long startedNs)
{
    private readonly List<VerifyFinding> _findings = [];
    private int _volume;
    private long _offset;

    /// <summary>Differences are repaired.</summary>
    public bool Repairs => repairs;

    /// <summary>Every range has been begun.</summary>
    public bool IsAllBegun => _volume == volumeBytes.Count;

    /// <summary>Bytes of all volumes.</summary>
    public long TotalBytes { get; } = volumeBytes.Sum();

    /// <summary>Bytes compared, or tried to.</summary>
    public long ComparedBytes { get; private set; }

    /// <summary>Bytes of ranges that differ.</summary>
    public long DifferentBytes { get; private set; }

    /// <summary>Bytes of ranges that can't be read.</summary>
    public long UnreadableBytes { get; private set; }

    /// <summary>Bytes repaired.</summary>
    public long RepairedBytes { get; private set; }

    /// <summary>The next range to be begun; not when all are.</summary>
    public (int Volume, long Offset, long LengthBytes) Next =>
        (_volume, _offset, Math.Min(Limits.CopyBlocks * Limits.BlockBytes, volumeBytes[_volume] - _offset));

    /// <summary>The next one is begun.</summary>
    public void Advance()
    {
        _offset += Next.LengthBytes;
        if (_offset == volumeBytes[_volume])
        {
            _volume++;
            _offset = 0;
        }
    }

    /// <summary>A range was compared.</summary>
    public void Note(VerifyRange range)
    {
        ComparedBytes += range.LengthBytes;
        if (range.Outcome == VerifyOutcome.Same)
        {
            return;
        }

        DifferentBytes += range.Outcome == VerifyOutcome.Differs ? range.LengthBytes : 0;
        UnreadableBytes += range.Outcome == VerifyOutcome.Differs ? 0 : range.LengthBytes;
        Add(new VerifyFinding(range.Volume, range.Offset, range.LengthBytes, range.Outcome, IsRepaired: false));
    }

    /// <summary>A range that was noted before is repaired, durably on both sides.</summary>
    public void NoteRepaired(VerifyRange range)
    {
        RepairedBytes += range.LengthBytes;
        int at = _findings.FindIndex(f => f.Volume == range.Volume && f.Offset <= range.Offset && !f.IsRepaired
            && range.Offset + range.LengthBytes <= f.Offset + f.LengthBytes);
        if (at < 0)
        {
            return;
        }

        // A neighbour was joined to it meanwhile: that one's turn comes.
        VerifyFinding whole = _findings[at];
        long end = range.Offset + range.LengthBytes;
        _findings.RemoveAt(at);
        if (end < whole.Offset + whole.LengthBytes)
        {
            _findings.Insert(at, whole with { Offset = end, LengthBytes = whole.Offset + whole.LengthBytes - end });
        }

        _findings.Insert(at, whole with { Offset = range.Offset, LengthBytes = range.LengthBytes, IsRepaired = true });
        if (range.Offset > whole.Offset)
        {
            _findings.Insert(at, whole with { LengthBytes = range.Offset - whole.Offset });
        }

        JoinNeighbours();
    }

    /// <summary>As others see it.</summary>
    public VerifyPicture Picture(long? endedNs, string? endedEarly) => new()
    {
        IsOwn = true,
        Repairs = repairs,
        TotalBytes = TotalBytes,
        ComparedBytes = ComparedBytes,
        DifferentBytes = DifferentBytes,
        UnreadableBytes = UnreadableBytes,
        RepairedBytes = RepairedBytes,
        Findings = [.. _findings.Take(Limits.VerifyFindings)],
        StartedNs = startedNs,
        EndedNs = endedNs,
        EndedEarly = endedEarly,
    };

    private void Add(VerifyFinding finding)
    {
        // What is beyond the bound is in the totals; the last one may still grow.
        if (_findings.Count < Limits.VerifyFindings || TryJoin(_findings[^1], finding) is not null)
        {
            _findings.Add(finding);
            JoinNeighbours();
        }
    }

    private void JoinNeighbours()
    {
        for (int i = _findings.Count - 1; i > 0; i--)
        {
            if (TryJoin(_findings[i - 1], _findings[i]) is { } joined)
            {
                _findings[i - 1] = joined;
                _findings.RemoveAt(i);
            }
        }
    }

    private static VerifyFinding? TryJoin(VerifyFinding first, VerifyFinding second) =>
        first.Volume == second.Volume && first.Offset + first.LengthBytes == second.Offset
            && first.Outcome == second.Outcome && first.IsRepaired == second.IsRepaired
            ? first with { LengthBytes = first.LengthBytes + second.LengthBytes } : null;
}
