using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// Reads from the peer's copy (safety contract, section 2, rule 10): all of a Primary without disk, and those that the
/// local disk could not answer. The latter hold their range, so that no write comes in between, and stand in the activity
/// log while the peer's data is written to the range; then the client has its answer.
/// </summary>
public sealed partial class Replica
{
    private const long TellRepairsEveryNs = 10_000_000_000;

    private readonly Dictionary<long, VolumeRequest> _remoteReads = new(256);
    private long _readNumber;
    private long _repairsToldNs = -TellRepairsEveryNs;

    /// <summary>Ranges that this node's disk could not read and that were written again from the peer's copy.</summary>
    public long RepairedReads { get; private set; }

    /// <summary>The peer's answer to a read: its data is in the request's slot, or an errno.</summary>
    public void RemoteReadDone(long number, int error)
    {
        NoteStandstill();
        if (_remoteReads.Remove(number, out VolumeRequest? read))
        {
            if (read.ReadError == 0)
            {
                _effects.Complete(read, error);
            }
            else if (error != 0)
            {
                // Neither copy can be read: the client hears what its own disk said.
                EndRepair(read, read.ReadError);
            }
            else if (!IsPeerGoodAt(read))
            {
                EndRepair(read, read.ReadError);
            }
            else
            {
                read.LocalPending = true;
                _busy++;
                _effects.RepairLocal(read);
            }
        }

        Settle();
    }

    /// <summary>The request to which the peer's answer belongs; null when it was begun anew since.</summary>
    public VolumeRequest? RemoteRead(long number) => _remoteReads.GetValueOrDefault(number);

    /// <summary>The peer's data was written to the range that could not be read, or that failed.</summary>
    public void Repaired(VolumeRequest read, int error)
    {
        NoteStandstill();
        bool isFrozen = Path == WritePath.Closed;
        _busy--;
        read.LocalPending = false;
        if (error != 0)
        {
            DiskFailed($"a range that could not be read could not be written again either (errno {error})");
        }
        else
        {
            RepairedReads++;
            TellRepairs(read);
            _effects.Changed();
        }

        if (Role != Role.Primary || Failure is not null)
        {
            EndRepair(read, Eio);
        }
        else if (isFrozen)
        {
            // Frozen like any other read: whoever serves meanwhile may have newer data.
            read.ReadError = 0;
            Leave(read);
            Hold(read);
        }
        else
        {
            EndRepair(read, 0);
        }

        Settle();
    }

    /// <summary>The peer wants to read. Null, or why it breaks the protocol.</summary>
    public string? IncomingRead(IncomingRead read)
    {
        bool isExpected = Role == Role.Standby && (Phase == LinkPhase.Joined
            || (Phase == LinkPhase.Target && _step >= JoinStep.SourceReady));
        if (!isExpected)
        {
            return $"a read from a node that is {Role} and {Phase}";
        }

        if (!Exists(read))
        {
            return $"range {read.Offset}+{read.LengthBytes} of volume {read.Volume} does not exist";
        }

        if (Failure is null)
        {
            _effects.ServeRead(read);
        }
        else
        {
            // What a failed disk still shows may be older than what was acknowledged.
            _effects.RefuseRead(read);
        }

        return null;
    }

    private bool Exists(IncomingRead read) => (uint)read.Volume < (uint)_maps.Length && read.Offset >= 0 && read.LengthBytes > 0
        && read.Offset <= _maps[read.Volume].VolumeBytes - read.LengthBytes
        && ((read.Offset | read.LengthBytes) & 511) == 0;

    private void TellRepairs(VolumeRequest read)
    {
        if (_effects.NowNs - _repairsToldNs >= TellRepairsEveryNs)
        {
            _repairsToldNs = _effects.NowNs;
            _effects.Raise("read-repaired", $"{_settings.Resource}: {read.LengthBytes} bytes at {read.Offset} of volume "
                + $"{read.Volume} could not be read here and were written again from the copy of {_settings.PeerName}; "
                + $"{RepairedReads} such ranges so far: look at the disk");
        }
    }

    /// <summary>A read came back from the local disk with an error, or from a disk that is out of use.</summary>
    private void ReadElsewhere(VolumeRequest read, int error)
    {
        if (IsDiskless || Path == WritePath.Closed)
        {
            Begin(read);
        }
        else if (IsPeerGoodAt(read))
        {
            read.ReadError = error;
            if (_ranges.TryAcquire(read))
            {
                read.HoldsRange = true;
                EnterLog(read);
            }
        }
        else
        {
            _effects.Complete(read, error);
        }
    }

    /// <summary>The peer's copy has the newest data in the whole range.</summary>
    private bool IsPeerGoodAt(VolumeRequest read)
    {
        if (Path != WritePath.Mirrored || Phase is not (LinkPhase.Joined or LinkPhase.Source))
        {
            return false;
        }

        long dirty = _maps[read.Volume].NextDirty(read.Offset / Limits.BlockBytes);
        bool isDirty = dirty >= 0 && dirty * Limits.BlockBytes < read.Offset + read.LengthBytes;
        return Phase == LinkPhase.Joined || !isDirty;
    }

    private void ReadFromPeer(VolumeRequest read)
    {
        if (read.ReadError != 0 && !IsPeerGoodAt(read))
        {
            EndRepair(read, read.ReadError);
            return;
        }

        long number = ++_readNumber;
        _remoteReads.Add(number, read);
        _effects.SendRead(read, number);
    }

    private void EndRepair(VolumeRequest read, int error)
    {
        read.ReadError = 0;
        Leave(read);
        _effects.Complete(read, error);
    }

    /// <summary>The path is closed: what the peer has not answered is read anew, by whichever way there is then.</summary>
    private void HoldRemoteReads()
    {
        foreach (VolumeRequest read in _remoteReads.Values)
        {
            Leave(read);
            Hold(read);
        }

        _remoteReads.Clear();
    }
}
