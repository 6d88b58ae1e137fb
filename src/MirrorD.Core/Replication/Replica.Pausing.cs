using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// A paused resync: no copy begins, clients' writes go on to both sides, and nothing else changes: the target stays
/// Inconsistent, bits stay set. Each node has its own pause and tells the other one; the source copies while neither has one.
/// It holds over connections and not over a restart of the daemon: what is forgotten so is a resync that goes on.
/// </summary>
public sealed partial class Replica
{
    private bool _peerPausesSync;

    /// <summary>An operator has paused resyncs on this node.</summary>
    public bool PausesSync { get; private set; }

    private bool IsSyncPaused => PausesSync || _peerPausesSync;

    /// <summary>Pauses resyncs of this resource, running or to come, or lets them go on.</summary>
    public void PauseSync(bool pauses, CommandAnswer answer)
    {
        bool isNew = PausesSync != pauses;
        PausesSync = pauses;
        if (isNew)
        {
            _effects.Raise(pauses ? "sync-paused" : "sync-resumed",
                $"{_settings.Resource}: by an operator on {_settings.NodeName}");
            if (Phase is LinkPhase.Source or LinkPhase.Target)
            {
                TellPause();
            }

            _effects.Changed();
        }

        answer(true, (pauses, isNew) switch
        {
            (true, true) => $"resyncs of {_settings.Resource} are paused",
            (true, false) => $"resyncs of {_settings.Resource} were paused here before",
            (false, _) when _peerPausesSync => $"not paused on {_settings.NodeName} any more, but still on {_settings.PeerName}",
            (false, true) => $"resyncs of {_settings.Resource} go on",
            (false, false) => $"resyncs of {_settings.Resource} were not paused on {_settings.NodeName}",
        }, null);
        PumpCopies();
        Settle();
    }

    private void TellPause() => _effects.SendMessage(new PeerMessage.SyncPause(PausesSync));

    /// <summary>The peer says so when a resync begins, and when it changes.</summary>
    private void PeerPauses(PeerMessage.SyncPause pause)
    {
        _peerPausesSync = pause.IsPaused;
        _effects.Changed();
        PumpCopies();
    }

    private NamedState DescribePause()
    {
        string self = _settings.NodeName;
        string peer = _settings.PeerName;
        string resume = $"mirrorctl resume-sync {_settings.Resource}";
        string target = Phase == LinkPhase.Target ? self : peer;
        string by = PausesSync && _peerPausesSync ? $"{self} and on {peer}" : PausesSync ? self : peer;
        return new NamedState("SyncPaused",
            $"an operator has paused the resync on {by}: the copy of {target} is not complete and can't take over; writes "
            + "go on to both nodes.", "operator",
            PausesSync && _peerPausesSync ? $"{resume}, on both nodes" : PausesSync ? resume : $"{resume}, on {peer}");
    }
}
