using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// Which machine is the peer. A node lets in only the one that it has joined; another one with the peer's name and the
/// cluster's key is a new machine, or the old one that was replaced. There is never a time at which both are let in: an
/// operator says that the machine that answers now is the peer from now on, which forgets the former one.
/// </summary>
public sealed partial class Replica
{
    /// <summary>The machine that last answered with the peer's name and was not let in; none when there was none.</summary>
    public NodeId Stranger { get; private set; }

    /// <summary>This machine is the peer, or there was none yet.</summary>
    public bool IsPeer(NodeId node) => State.Peer == default || State.Peer == node;

    /// <summary>Whether a connection with this machine may be used; one that may not is remembered and told.</summary>
    public bool Admits(NodeId node)
    {
        if (IsPeer(node))
        {
            Stranger = default;
            return true;
        }

        if (Stranger != node)
        {
            Stranger = node;
            _effects.Raise("stranger", $"{_settings.Resource}: a machine that calls itself {_settings.PeerName} has the identity "
                + $"{node}, and the one that this node was joined with {State.Peer}: it is not let in");
            _effects.Changed();
        }

        return false;
    }

    /// <summary>
    /// The former peer is gone for good, and the machine that answers in its place is the peer from now on. This node's copy
    /// has to be a good one; the new machine's gets everything.
    /// </summary>
    public void ReplacePeer(CommandAnswer answer)
    {
        if (RefusalOfReplacement() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        NodeId former = State.Peer;
        NodeId chosen = Stranger;
        Store(
            s => IsLinked ? s : s with { Peer = chosen, PeerBoot = default, PeerSequence = 0, PeerDiskState = DiskState.Diskless },
            () =>
            {
                if (State.Peer != chosen)
                {
                    answer(false, $"{_settings.PeerName} connected meanwhile", "mirrorctl status");
                    return;
                }

                Stranger = default;
                _effects.Raise("node-replaced", $"{_settings.Resource}: by an operator's word {_settings.PeerName} is {chosen} "
                    + $"from now on; {former} is never let in again");
                answer(true, $"{_settings.PeerName} is the machine {chosen} from now on; it gets everything when it connects", null);
            });
    }

    private (string Message, string? Remedy)? RefusalOfReplacement() =>
        Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl explain {_settings.Resource}")
        : IsLinked ? ($"{_settings.PeerName} is connected: it is no dead node", "mirrorctl status")
        : State.DiskState != DiskState.UpToDate
            ? ($"this copy is {State.DiskState}: there may be a newer one on the machine that is to be forgotten",
                $"bring that one back; last resort: mirrorctl promote {_settings.Resource} --force")
        : Stranger == default
            ? ($"no other machine has answered as {_settings.PeerName} yet",
                "install the new one with this configuration and key, 'mirrorctl create' its disks, start mirrord there, and "
                + "run the command again")
        : _isStoring || _stores.Count > 0 ? ("another change is under way", "mirrorctl status")
        : null;

    private NamedState? DescribeStranger()
    {
        string peer = _settings.PeerName;
        return IsLinked || Stranger == default ? null : new NamedState("PeerUnknown",
            $"a machine that calls itself {peer} has the identity {Stranger}, and the one that this node was joined with "
                + $"{State.Peer}: it is not let in.",
            "operator", $"if it is a new machine, and the old one is off for good: mirrorctl node replace {peer}; if it is the "
                + "old one, take it off the network");
    }
}
