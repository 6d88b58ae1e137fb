using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Replication;

/// <summary>
/// Outdate and goodbye over the control channel (safety contract, section 5). Messages may be lost, late and
/// repeated; a reply counts only for the loss of the link during which it was asked for.
/// </summary>
public sealed partial class Replica
{
    private ulong _outdateNonce;
    private long _askedSinceNs = -1;
    private long _askAgainAtNs;
    private bool _storingOutdated;

    /// <summary>An authenticated message of the control channel.</summary>
    public void ControlArrived(ControlMessage message)
    {
        if (Failure is null)
        {
            switch (message)
            {
                case ControlMessage.OutdateRequest request:
                    OutdateAsked(request);
                    break;
                case ControlMessage.OutdateReply reply:
                    OutdateAnswered(reply);
                    break;
                case ControlMessage.Goodbye goodbye:
                    PeerStops(goodbye);
                    break;
            }
        }
        else if (message is ControlMessage.OutdateRequest request)
        {
            // Stored as one that does not count, its copy is as good as Outdated; or that could not be stored at all.
            bool isStored = Role == Role.Standby && _failureIsStored && WhyNotOutdate(request, State) is null;
            Answer(request, isStored ? OutdateAnswer.Stored : OutdateAnswer.Unable);
        }

        Settle();
    }

    private void AskPeer()
    {
        long now = _effects.NowNs;
        if (_askedSinceNs < 0)
        {
            _askedSinceNs = now;
        }
        else if (now < _askAgainAtNs)
        {
            return;
        }

        _outdateNonce = _outdateNonce == 0 ? _effects.NewIdentifier() : _outdateNonce;
        _askAgainAtNs = now + AskEveryNs;
        _effects.SendControl(new ControlMessage.OutdateRequest(
            State.Session, State.Current, State.Bitmap, State.History, _outdateNonce));
    }

    private void OutdateAnswered(ControlMessage.OutdateReply reply)
    {
        bool isOld = reply.Nonce != _outdateNonce || _outdateNonce == 0 || reply.Session != State.Session;
        if (isOld && !Canary.Breaks(BrokenRule.LateOutdateReplyAccepted))
        {
            return;
        }

        bool isWanted = Role == Role.Primary ? Path != WritePath.Alone && !_storingStandby : _promotion is not null;
        if (IsLinked || HasProof || _storingProof || !isWanted || State.DiskState != DiskState.UpToDate)
        {
            return;
        }

        switch (reply.Answer)
        {
            case OutdateAnswer.Stored:
                StoreProof(ProofKind.PeerOutdated, State.Session);
                break;
            case OutdateAnswer.IsPrimary or OutdateAnswer.HoldsProof or OutdateAnswer.OtherGeneration:
                string reason = $"{_settings.PeerName} refuses to be outdated: {reply.Answer}";
                FinishPromotion(false, reason, $"mirrorctl status {_settings.Resource}");
                if (Role == Role.Primary)
                {
                    LoseRight(reason);
                }

                break;
            case OutdateAnswer.Connected:
                // It has not noticed the loss yet: asked again, and not mute.
                _askedSinceNs = _effects.NowNs;
                break;
            case OutdateAnswer.OtherSession or OutdateAnswer.Unable:
                // Asked again, until it counts as mute.
                break;
        }
    }

    private void OutdateAsked(ControlMessage.OutdateRequest request)
    {
        if (WhyNotOutdate(request, State) is { } refusal)
        {
            Answer(request, refusal);
        }
        else if (State.DiskState <= DiskState.Outdated && !_isStoring && _stores.Count == 0)
        {
            Answer(request, OutdateAnswer.Stored);
        }
        else if (!_storingOutdated)
        {
            _storingOutdated = true;
            Store(
                s => WhyNotOutdate(request, s) is null && s.DiskState > DiskState.Outdated
                    ? s with { DiskState = DiskState.Outdated } : s,
                () =>
                {
                    _storingOutdated = false;
                    OutdateStored(request);
                });
        }
    }

    private void OutdateStored(ControlMessage.OutdateRequest request)
    {
        if (State.DiskState > DiskState.Outdated || WhyNotOutdate(request, State) is not null)
        {
            Answer(request, WhyNotOutdate(request, State) ?? OutdateAnswer.Unable);
            return;
        }

        _isEligible = false;
        _effects.Raise("outdated", $"{_settings.Resource}: {_settings.PeerName} goes on without this node, whose copy "
            + "is Outdated until it joins again");

        // Accepting cancels a claim in flight: its grant is not looked at any more.
        FinishPromotion(false, $"{_settings.PeerName} goes on, and this copy is Outdated now",
            $"bring the replication link back; mirrorctl explain {_settings.Resource}");
        Answer(request, OutdateAnswer.Stored);
    }

    /// <summary>Null: Outdated may be stored. Looked at again when the store is made.</summary>
    private OutdateAnswer? WhyNotOutdate(ControlMessage.OutdateRequest request, Superblock stored) =>
        Role == Role.Primary ? OutdateAnswer.IsPrimary
        : IsLinked ? OutdateAnswer.Connected
        : Handshake.GenerationRules.HasValidProof(stored)
            ? Canary.Breaks(BrokenRule.OutdatedDespiteProof) ? null : OutdateAnswer.HoldsProof
        : !stored.Current.Matches(request.Current) && !stored.Current.Matches(request.Bitmap)
            && !request.History.Contains(stored.Current) ? OutdateAnswer.OtherGeneration
        : stored.Session != request.Session && stored.DiskState == DiskState.UpToDate ? OutdateAnswer.OtherSession
        : null;

    private void Answer(ControlMessage.OutdateRequest request, OutdateAnswer answer) =>
        _effects.SendControl(new ControlMessage.OutdateReply(request.Session, request.Nonce, answer));

    /// <summary>
    /// The peer stops as planned. With its Outdated stored for this session it is a proof, whenever it arrives: each
    /// join has a session of its own.
    /// </summary>
    private void PeerStops(ControlMessage.Goodbye goodbye)
    {
        bool isNews = _goodbye is null;
        bool isOld = goodbye.Session != State.Session && !Canary.Breaks(BrokenRule.OldSessionAccepted);
        if (!goodbye.IsOutdated || isOld || (IsLinked && Phase != LinkPhase.Joined))
        {
            return;
        }

        _goodbye = (State.Session, goodbye.Current);
        if (isNews)
        {
            _effects.Raise("peer-goodbye", $"{_settings.Resource}: {_settings.PeerName} leaves as planned");
        }

        GoOnWithDisconnect();

        if (PeerSaidGoodbye && !HasProof && !_storingProof)
        {
            StoreProof(ProofKind.PeerOutdated, State.Session);
        }
    }
}
