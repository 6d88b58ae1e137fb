using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Latency;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>Where the time of requests goes: a clock is read once in a turn.</summary>
public sealed partial class ReplicatedResource
{
    private readonly SentTimes _sentTimes = new();
    private long _turnNs;

    // Of the received mutation that is being completed; -1 between.
    private long _appliedNs = -1;

    /// <summary>What clients asked for, by volume; any thread.</summary>
    public IReadOnlyList<VolumeLoad> Loads { get; }

    /// <summary>Time at which this turn began, or now.</summary>
    private long TurnNs => _turnNs != 0 ? _turnNs : _loop.NowNs;

    void IReplicaEffects.GoesOn(VolumeRequest request)
    {
        ref RequestTimes times = ref ((IoRequest)request).Times;
        times.HandedNs = _loop.NowNs;
        times.IssuedNs = 0;
    }

    private void NoteHanded(IoRequest request)
    {
        _turnNs = _loop.NowNs;
        request.Times.HandedNs = _turnNs;
        request.Times.IssuedNs = 0;
        Loads[request.Volume].Begin();
    }

    private void NoteIssued(IoRequest request)
    {
        if (request.Times.IssuedNs == 0)
        {
            request.Times.IssuedNs = TurnNs;
        }
    }

    private void NoteLocalDone(IoRequest request)
    {
        _turnNs = _loop.NowNs;
        Loads[request.Volume].Record(KindOf(request), LatencyStage.LocalDisk, _turnNs - request.Times.IssuedNs);
    }

    private void NoteAcknowledged(long sequence, long appliedNs)
    {
        _turnNs = _connection?.ArrivedNs ?? 0;
        if (!_sentTimes.TryTake(sequence, out int volume, out long sentNs))
        {
            return;
        }

        VolumeLoad load = Loads[volume];
        long peerNs = TurnNs - sentNs;
        load.Record(LatencyOperation.Write, LatencyStage.Peer, peerNs);
        if (appliedNs >= 0)
        {
            load.Record(LatencyOperation.Write, LatencyStage.PeerDisk, appliedNs);
            load.Record(LatencyOperation.Write, LatencyStage.Network, peerNs - appliedNs);
        }
    }

    private void NoteDecided(IoRequest request, int error)
    {
        ref RequestTimes times = ref request.Times;
        times.DecidedNs = TurnNs;
        VolumeLoad load = Loads[request.Volume];
        load.End(request, error);
        if (times.IssuedNs == 0 || request.Operation == VolumeOperation.Flush)
        {
            return;
        }

        if (times.ReceivedNs != 0)
        {
            load.Record(KindOf(request), LatencyStage.Queue, times.HandedNs - times.ReceivedNs);
        }

        if (request.IsMutation)
        {
            load.Record(LatencyOperation.Write, LatencyStage.Log, times.IssuedNs - times.HandedNs);
        }
    }

    private static LatencyOperation KindOf(IoRequest request) =>
        request.Operation == VolumeOperation.Read ? LatencyOperation.Read : LatencyOperation.Write;
}
