using MirrorD.Core.Handshake;

namespace MirrorD.Core.Replication;

/// <summary>
/// A split brain that ends without an operator, where both nodes were configured to let it (section 4). It is an end as by an
/// operator's word from J1 on; the policy only says who gives way, and both sides find the same from the same facts.
/// </summary>
public sealed partial class Replica
{
    private string _whyNoPolicy = "";
    private bool _roleEndedHere;
    private bool _couldNotKeep;

    /// <summary>An operator reads this copy: until that ends no policy gives it up.</summary>
    public bool IsRead { get; set; }

    /// <summary>
    /// A role that ended with its daemon (a stop, a reboot) was not given up by anybody who had seen the split: what it has
    /// changed is spared.
    /// </summary>
    private HandshakeFacts WithPolicy(HandshakeFacts facts) => facts with
    {
        SplitBrainPolicy = _settings.SplitBrainPolicy,
        IsSpared = IsRead || _stopping || (facts.SyncSetBlocks > 0 && (_couldNotKeep || !_roleEndedHere)),
    };

    /// <summary>For the status: a policy is configured, and leaves this split to the operator.</summary>
    private void NotePolicy(HandshakeDecision decision)
    {
        bool isManual = _settings.SplitBrainPolicy == SplitBrainPolicy.Manual
            && _peerFacts!.SplitBrainPolicy == SplitBrainPolicy.Manual;
        string policy = _settings.SplitBrainPolicy.InWords();
        _whyNoPolicy = decision.Action != HandshakeAction.SplitBrain || isManual ? ""
            : IsRead ? $". The policy {policy} waits: this copy is open for reading"
            : new HandshakePair(_ownFacts!, _peerFacts!).WhyNoPolicy is { } why ? $". No policy decides: {why}"
            : _couldNotKeep ? $". The policy {policy} spares this copy: it could not be kept in a snapshot"
            : _ownFacts!.IsSpared && !_ownFacts.IsPrimary
                ? $". The policy {policy} spares this copy: it has changed, and its role ended with its daemon"
            : _peerFacts!.IsSpared && !_peerFacts.IsPrimary
                ? $". The policy {policy} spares the copy of {_settings.PeerName}: see mirrorctl explain there"
            : $". The policy {policy} does not decide: neither node is a Standby that it may give up";
    }

    /// <summary>J1 is durable: the copy is given up.</summary>
    private void TellPolicy()
    {
        if (_decision is { Case: HandshakeCase.SplitBrainByPolicy, SelfIs: var part })
        {
            bool isSelf = part == HandshakePart.Target;
            long blocks = (isSelf ? _ownFacts! : _peerFacts!).SyncSetBlocks;
            _effects.Raise("split-brain-resolved",
                $"{_settings.Resource}: by the policy {_ownFacts!.SplitBrainPolicy.InWords()} the copy of "
                + $"{(isSelf ? _settings.NodeName : _settings.PeerName)} gives way, with {blocks} blocks of "
                + $"{Limits.BlockBytes} bytes that it had changed since the split; "
                + $"{(isSelf ? _settings.PeerName : _settings.NodeName)} brings it up to date");
        }
    }
}
