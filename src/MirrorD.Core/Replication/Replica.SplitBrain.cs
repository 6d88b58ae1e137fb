using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// A split brain and its end (safety contract, section 4): no data moves before an operator has said, on the node whose
/// copy gives way, that it does. The next handshake carries that word, and both sides decide by the table. Until J1 is
/// stored nothing has changed.
/// </summary>
public sealed partial class Replica
{
    private const long DiscardPatienceNs = 30_000_000_000;

    private CommandAnswer? _discard;
    private long _discardUntilNs;

    /// <summary>
    /// Gives up what this node's copy has and the peer's has not. Answers when that is durable and the resync begins.
    /// </summary>
    public void DiscardCopy(CommandAnswer answer)
    {
        if (RefusalOfDiscard() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        _discard = answer;
        _discardUntilNs = _effects.NowNs + DiscardPatienceNs;
    }

    /// <summary>Why <see cref="DiscardCopy"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfDiscard()
    {
        string resource = _settings.Resource;
        if (Failure is not null || IsDiskless)
        {
            return ("no disk is attached", $"mirrorctl explain {resource}");
        }

        if (_discard is not null || _demotion is not null || _promotion is not null || _detach is not null || _stopping)
        {
            return ("another change is under way", "mirrorctl status");
        }

        bool isSplit = Phase is LinkPhase.Down or LinkPhase.Joining
            && LastDecision is { Action: HandshakeAction.SplitBrain } last && last.Case != HandshakeCase.VolumesDisagree;
        return !isSplit ? ("there is no split brain: the nodes agree whose data counts, or have not met", "mirrorctl status")
            : Role == Role.Primary ? ("this node is Primary: what is to be discarded is in use", $"mirrorctl demote {resource}")
            : null;
    }

    /// <summary>A crashed Primary whose copy gives way does not get its role back for that.</summary>
    private HandshakeFacts GivingWay(HandshakeFacts facts) =>
        _discard is null || Role == Role.Primary ? facts : facts with { GivesWay = true, WasPrimary = false };

    /// <summary>The word was given in this handshake: it leads to a join in which this side is target, or to nothing.</summary>
    private void AnswerDiscard(HandshakeDecision decision)
    {
        if (_discard is null || !_ownFacts!.GivesWay || (decision.Joins && decision.SelfIs == HandshakePart.Target))
        {
            return;
        }

        FinishDiscard(false, decision.Joins ? $"the copy of {_settings.PeerName} gives way already: this one is kept"
            : _peerFacts!.GivesWay ? "both nodes were told to discard their copy: neither does"
            : $"the handshake says {decision.Case}: nothing was discarded");
    }

    private void DiscardStored()
    {
        if (_discard is not null)
        {
            _effects.Raise("copy-discarded", $"{_settings.Resource}: an operator discarded what only this node had; "
                + $"{_settings.PeerName} brings its copy up to date");
            FinishDiscard(true, $"this copy gives way; {_settings.PeerName} brings it up to date");
        }
    }

    private void WatchDiscard()
    {
        if (_discard is not null && !IsLinked && _effects.NowNs >= _discardUntilNs)
        {
            FinishDiscard(false, $"{_settings.PeerName} did not connect: nothing was discarded");
        }
    }

    private void FinishDiscard(bool succeeded, string message)
    {
        CommandAnswer? answer = _discard;
        _discard = null;
        answer?.Invoke(succeeded, message, succeeded ? null : "mirrorctl status");
    }
}
