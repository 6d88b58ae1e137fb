using System.Numerics;
using MirrorD.Core.Resync;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// J3 on the source: copies runs of dirty blocks to the target under range locks while clients go on. A bit is
/// cleared only by a flush pass of both sides that began after the copy was acknowledged, and only if no client
/// wrote the block since.
/// </summary>
public sealed partial class Replica
{
    private const long UnreadableRetryNs = 10_000_000_000;

    private readonly List<ResyncCopy> _copied = new(Limits.FlushesOfCopies * Limits.CopiesPerFlush);
    private readonly Dictionary<long, ResyncCopy> _sentCopies = new(Limits.MostCopies);
    private readonly HashSet<ResyncCopy> _copying = new(Limits.MostCopies);
    private int _copyVolume;
    private long _copyBlock;
    private int _idleCopies;
    private bool _copiesNeedPass;
    private bool _roundEnded;
    private bool _copiesFinal;
    private bool _copiesAreSingle;
    private long _roundSkippedBlocks;
    private long _toldSkippedBlocks;
    private long _copyPauseUntilNs;
    private long _lastRequestNs = -Limits.QuietNs;
    private readonly ResyncRate _rate;
    private long _nextCheckpointNs;

    /// <summary>Bytes that the resync began with; 0 when none runs.</summary>
    public long SyncTotalBytes { get; private set; }

    /// <summary>Data bytes sent by the running or last resync; ranges of zeroes are sent without data.</summary>
    public long SyncSentBytes { get; private set; }

    /// <summary>Bytes of all ranges that the running or last resync brought over, with data or without.</summary>
    public long SyncCoveredBytes { get; private set; }

    /// <summary>When the running or last resync began.</summary>
    public long SyncStartedNs { get; private set; }

    /// <summary>The copy's range has been read into its slot.</summary>
    public void CopyRead(ResyncCopy copy, int error)
    {
        _busy--;
        if (copy.Verify is { } range)
        {
            VerifyRead(range, error);
        }
        else if (copy.Link != _link || Phase != LinkPhase.Source || !_copying.Contains(copy))
        {
            _effects.ReturnCopy(copy);
        }
        else if (error == Etimedout)
        {
            Fail("the backing disk did not answer a read for a resync in time");
        }
        else if (error != 0)
        {
            SkipCopy(copy);
        }
        else
        {
            CompareOrSend(copy);
        }

        Settle();
    }

    /// <summary>A slot for a copy came free.</summary>
    public void CopySlotFree()
    {
        PumpCopies();
        PumpVerify();
        Settle();
    }

    private void StartCopies()
    {
        _copyVolume = 0;
        _copyBlock = 0;
        _idleCopies = Limits.CopiesWhenIdle;
        _roundEnded = false;
        _copiesFinal = false;
        _copiesAreSingle = false;
        _roundSkippedBlocks = 0;
        _toldSkippedBlocks = 0;
        _copyPauseUntilNs = 0;
        SyncTotalBytes = DirtyBlocks * Limits.BlockBytes;
        SyncSentBytes = 0;
        SyncCoveredBytes = 0;
        SyncEqualBytes = 0;
        SyncStartedNs = _effects.NowNs;
        _rate.Begin(_effects.NowNs);
        if (SyncTotalBytes > 0)
        {
            _effects.Raise("resync-started",
                $"{_settings.Resource}: {SyncTotalBytes} bytes to {_settings.PeerName}");
        }
    }

    private void PumpCopies()
    {
        if (Phase != LinkPhase.Source || _committing || Failure is not null)
        {
            return;
        }

        long now = _effects.NowNs;
        if (now < _copyPauseUntilNs)
        {
            return;
        }

        // What waits for quiet would wait for the whole resync. With nothing to copy there is nothing to pause: the join goes on.
        bool isAllowed = _whenQuiet.Count == 0 && !(IsSyncPaused && !_roundEnded && DirtyBlocks > 0);
        int window = _sent.Count + _ahead.Count > 0 ? Limits.CopiesWhenBusy
            : AreClientsQuiet(now) ? _idleCopies : Limits.CopiesBetweenRequests;
        int unflushed = Limits.FlushesOfCopies * _settings.CopiesPerFlush;
        while (isAllowed && !_roundEnded && _copying.Count < window && _copied.Count + _copying.Count < unflushed
            && (isAllowed = IsAllowed()) && StartCopy())
        {
        }

        // What keeps its ranges until it is flushed does not wait for the rate: clients' writes wait for it.
        bool isLast = _copying.Count == 0
            && (_roundEnded || (!isAllowed && _copied.Count > 0 && (_copiesFinal || IsSyncPaused)));
        if ((isLast || _copied.Count >= _settings.CopiesPerFlush) && !_copiesNeedPass)
        {
            // Also with nothing copied: both sides have flushed before J4.
            _copiesNeedPass = true;
            WantCheckpoint();
        }
    }

    private bool AreClientsQuiet(long now) => now - _lastRequestNs >= Limits.QuietNs;

    /// <summary>
    /// Where a rate holds copies back, clients' requests are the clock: at the next tick all that is due by then would be
    /// copied at once, in the way of many requests.
    /// </summary>
    private void PumpDueCopies()
    {
        if (_rate.IsLimited)
        {
            PumpCopies();
        }
    }

    private bool IsAllowed() =>
        _rate.Allows(_effects.NowNs, _issued.Count, _copying.Count + (_copiesNeedPass ? 1 : 0));

    /// <summary>A client's request was carried out: what it took tells whether copies are in its way.</summary>
    private void NoteLatency(VolumeRequest request)
    {
        if (_rate.IsAdaptive && Phase == LinkPhase.Source && request.BegunNs > 0)
        {
            _rate.Finished(request.BegunNs, _effects.NowNs);
        }
    }

    private bool StartCopy()
    {
        if (!FindDirty(out int volume, out long block, out long count))
        {
            _roundEnded = true;
            return false;
        }

        ResyncCopy? copy = _effects.TryRentCopy();
        if (copy is null)
        {
            return false;
        }

        copy.Volume = volume;
        copy.Offset = block * Limits.BlockBytes;
        copy.LengthBytes = Math.Min(count * Limits.BlockBytes, _maps[volume].VolumeBytes - copy.Offset);
        copy.BegunNs = _effects.NowNs;
        copy.TouchedBlocks = 0;
        copy.IsZero = false;
        copy.HoldsRange = false;
        copy.KeepsRange = _copiesFinal;
        copy.Link = _link;
        _copyVolume = volume;
        _copyBlock = block + count;
        _rate.Started(copy.LengthBytes);
        _copying.Add(copy);
        if (Canary.Breaks(BrokenRule.OlderCopyOverNewerWrite))
        {
            ReadCopy(copy);
        }
        else if (_ranges.TryAcquire(copy))
        {
            copy.HoldsRange = true;
            ReadCopy(copy);
        }

        return true;
    }

    private bool FindDirty(out int volume, out long block, out long count)
    {
        for (volume = _copyVolume; volume < _maps.Length; volume++)
        {
            block = _maps[volume].NextDirty(volume == _copyVolume ? _copyBlock : 0);
            if (block >= 0)
            {
                count = _copiesAreSingle ? 1 : _maps[volume].DirtyRunLength(block, Limits.CopyBlocks);
                return true;
            }
        }

        block = 0;
        count = 0;
        return false;
    }

    private void ReadCopy(ResyncCopy copy)
    {
        _busy++;
        _effects.ReadCopy(copy);
    }

    private void CopyAcknowledged(ResyncCopy copy)
    {
        if (copy.Verify is { } range)
        {
            RepairAcknowledged(range);
            return;
        }

        _copying.Remove(copy);
        _copied.Add(copy);
        if (Canary.Breaks(BrokenRule.BitClearedOnAcknowledgement))
        {
            _maps[copy.Volume].ClearBlocks(copy.FirstBlock, copy.Blocks);
        }

        _effects.ReturnCopy(copy);
        if (copy.HoldsRange && !copy.KeepsRange)
        {
            copy.HoldsRange = false;
            ReleaseRange(copy);
        }

        PumpCopies();
    }

    /// <summary>
    /// While clients are quiet, as many copies are under way as most of them still end in time with, by those whose data was
    /// sent. A quick one says something of more of them only where all are under way that may be.
    /// </summary>
    private void NoteCopyTime(ResyncCopy copy)
    {
        long now = _effects.NowNs;
        if (copy.IsZero || !AreClientsQuiet(now))
        {
            return;
        }

        if (now - copy.BegunNs > Limits.QuickCopyNs)
        {
            _idleCopies = Math.Max(_idleCopies - 1, Limits.CopiesWhenIdle);
        }
        else if (_copying.Count >= _idleCopies)
        {
            _idleCopies = Math.Min(_idleCopies + 1, Limits.MostCopies);
        }
    }

    /// <summary>A client's write goes to both sides now; a block of it that was copied before stays dirty.</summary>
    private void NoteWriteOverCopies(VolumeRequest request)
    {
        if (Phase != LinkPhase.Source)
        {
            return;
        }

        foreach (ResyncCopy copy in _copied)
        {
            if (copy.Volume == request.Volume && copy.Offset < request.Offset + request.LengthBytes
                && request.Offset < copy.Offset + copy.LengthBytes)
            {
                long first = Math.Max(request.Offset / Limits.BlockBytes, copy.FirstBlock);
                long last = Math.Min((request.Offset + request.LengthBytes - 1) / Limits.BlockBytes,
                    copy.FirstBlock + copy.Blocks - 1);
                for (long block = first; block <= last; block++)
                {
                    copy.TouchedBlocks |= 1u << (int)(block - copy.FirstBlock);
                }
            }
        }
    }

    /// <summary>
    /// A pass of both sides ended that covers the first copies of the list: those that had ended when it began. Others have
    /// ended since; they belong to the next one.
    /// </summary>
    private void CopiesFlushed(int count)
    {
        if (Phase != LinkPhase.Source || _committing)
        {
            return;
        }

        _copiesNeedPass = false;
        for (int i = 0; i < count; i++)
        {
            ResyncCopy copy = _copied[i];
            for (int block = 0; block < copy.Blocks; block++)
            {
                int clean = BitOperations.TrailingZeroCount(copy.TouchedBlocks >> block);
                clean = Math.Min(clean, copy.Blocks - block);
                if (clean > 0)
                {
                    _maps[copy.Volume].ClearBlocks(copy.FirstBlock + block, clean);
                    block += clean - 1;
                }
            }
        }

        List<ResyncCopy> flushed = _copied.GetRange(0, count);
        _copied.RemoveRange(0, count);
        foreach (ResyncCopy copy in flushed)
        {
            if (copy.HoldsRange)
            {
                copy.HoldsRange = false;
                ReleaseRange(copy);
            }
        }

        _effects.Changed();
        if (_roundEnded && _copied.Count == 0 && _copying.Count == 0)
        {
            EndRound();
        }

        PumpCopies();
    }

    private void EndRound()
    {
        if (DirtyBlocks > 0)
        {
            EndRoundWithSkips();
            _copiesFinal = DirtyBlocks <= Limits.FinalBlocks;
            _copyVolume = 0;
            _copyBlock = 0;
            _roundEnded = false;
            return;
        }

        if (SyncTotalBytes > 0)
        {
            _effects.Raise("resync-done", $"{_settings.Resource}: {SyncSentBytes} bytes sent"
                + (SyncEqualBytes > 0 ? $", {SyncEqualBytes} were equal" : ""));
        }

        StoreSession();
    }

    /// <summary>
    /// A range that the only good disk can't read stays dirty, so that the target stays Inconsistent; the service goes on.
    /// </summary>
    private void SkipCopy(ResyncCopy copy)
    {
        _copying.Remove(copy);
        _roundSkippedBlocks += copy.Blocks;
        if (copy.HoldsRange)
        {
            copy.HoldsRange = false;
            ReleaseRange(copy);
        }

        _effects.ReturnCopy(copy);
        PumpCopies();
    }

    /// <summary>
    /// What could not be read is tried again block by block, so that good neighbours get across; then after pauses, for a
    /// client may have written it again.
    /// </summary>
    private void EndRoundWithSkips()
    {
        long skipped = _roundSkippedBlocks;
        _roundSkippedBlocks = 0;
        bool wereSingle = _copiesAreSingle;
        _copiesAreSingle = skipped > 0;
        if (!wereSingle || skipped == 0)
        {
            return;
        }

        _copyPauseUntilNs = _effects.NowNs + UnreadableRetryNs;
        if (skipped != _toldSkippedBlocks)
        {
            _toldSkippedBlocks = skipped;
            _effects.Raise("resync-unreadable", $"{_settings.Resource}: {skipped * Limits.BlockBytes} bytes that "
                + $"{_settings.PeerName} lacks can't be read here: its copy is not complete until they are written again");
        }
    }

    private void DropCopy(ResyncCopy copy)
    {
        _copying.Remove(copy);
        _effects.ReturnCopy(copy);
    }

    private void AbortCopies()
    {
        foreach (ResyncCopy copy in _sentCopies.Values)
        {
            _effects.ReturnCopy(copy);
        }

        foreach (ResyncCopy copy in _comparedCopies.Values)
        {
            _effects.ReturnCopy(copy);
        }

        // A copy that is being read is returned when its read is done; one that waits goes with the suspension.
        foreach (ResyncCopy copy in _copying)
        {
            if (copy.HoldsRange)
            {
                copy.HoldsRange = false;
                ReleaseRange(copy);
            }
        }

        _sentCopies.Clear();
        _comparedCopies.Clear();
        _copying.Clear();
        List<ResyncCopy> held = _copied.FindAll(c => c.HoldsRange);
        _copied.Clear();
        foreach (ResyncCopy copy in held)
        {
            copy.HoldsRange = false;
            ReleaseRange(copy);
        }

        _copiesNeedPass = false;
        _copiesFinal = false;
        SyncTotalBytes = 0;
    }
}
