using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// How a Standby becomes Primary: without a peer under a proof (safety contract, section 5), joined, or handed the role.
/// </summary>
public sealed partial class Replica
{
    private void PromoteWithoutPeer()
    {
        string force = $"mirrorctl promote {_settings.Resource} --force";
        if (_storingProof || _promotingAlone || _claiming)
        {
            return;
        }

        if (_isAutomatic && WhyNotTakeOver() is { } why)
        {
            // The peer may have been heard again since the steps began. What is merely not known is waited for.
            if (FailoverTable.Decide(FactsNow()).Case != FailoverCase.StandbyAsksGateway)
            {
                FinishPromotion(false, why, null);
            }

            return;
        }

        if (!FailoverTable.MayServe(State.DiskState))
        {
            FinishPromotion(false, $"this copy is {State.DiskState}", $"bring {_settings.PeerName} back, or: {force}");
        }
        else if (HasProof)
        {
            PromoteAlone(overrides: false);
        }
        else if (!State.Session.IsNone && FactsNow() is { IsAnyPathUp: true, IsPeerMute: false })
        {
            if (HasAppliedReceived)
            {
                AskPeer();
            }
        }
        else if (_settings.HasArbiter && !State.Session.IsNone)
        {
            // A value that the old primary has served must not be followed by an older one from here, nor the
            // reverse: it holds everything, reads too, once it has noticed the loss.
            bool mayAsk = !_arbiterUnreachable || _effects.NowNs >= _claimRetryAtNs || !_isAutomatic;
            if (_effects.NowNs >= _peerMayServeUntilNs && mayAsk && HasAppliedReceived)
            {
                Claim();
            }
        }
        else if (_isAutomatic && FailoverTable.Decide(FactsNow()).Case == FailoverCase.StandbyTakesOver)
        {
            if (HasAppliedReceived)
            {
                StoreProof(ProofKind.PeerLossPolicy, State.Session);
            }
        }
        else if (Canary.Breaks(BrokenRule.LoneBootPromotes))
        {
            PromoteAlone(overrides: true);
        }
        else
        {
            FinishPromotion(false,
                $"{_settings.PeerName} is not connected, and nothing proves that it will not serve",
                $"bring {_settings.PeerName} back, or make sure it is off and: {force}");
        }
    }

    /// <summary>
    /// A promotion without a joined peer: proof, generation and promotion in one store, before the device serves. What
    /// the lost link left in flight lands before: an old write must not come down over a new one.
    /// </summary>
    private void PromoteAlone(bool overrides)
    {
        _promotingAlone = true;
        if (Canary.Breaks(BrokenRule.TakeoverBeforeApplied))
        {
            StoreAlone(overrides);
            return;
        }

        WhenQuiet(() => StoreAlone(overrides));
    }

    private void StoreAlone(bool overrides)
    {
        var generation = new Generation(_effects.NewIdentifier());
        bool applied = false;
        bool wasPrimary = State.WasPrimary;
        Store(
            s =>
            {
                applied = _promotion is not null && !IsLinked && !_stopping && Path != WritePath.Alone
                    && (overrides || IsEntitled(s));
                return applied ? BecomePrimary(Entitle(s, generation), _peerPromotions) : s;
            },
            () =>
            {
                _promotingAlone = false;
                if (!applied)
                {
                    FinishPromotion(Role == Role.Primary, "the state changed meanwhile", "mirrorctl status");
                    return;
                }

                if (overrides && State.Proof.Kind == ProofKind.OperatorOverride)
                {
                    _effects.Raise("override", $"{_settings.Resource}: the operator forces this copy to count");
                }

                if (!wasPrimary && !State.Session.IsNone)
                {
                    TellWhatMayBeMissing();
                }

                Role = Role.Primary;
                _roleEndedHere = false;
                _roleWasTakenAway = false;
                if (!IsLinked)
                {
                    EnterAlone();
                }

                FinishPromotion(true, "this node is Primary now", null);
                _effects.RoleChanged(Role.Primary, "promoted without peer");
            });
    }

    private static bool IsEntitled(Superblock stored) =>
        GenerationRules.HasValidProof(stored) && FailoverTable.MayServe(stored.DiskState);

    /// <summary>With a proof at most a generation is missing; without, the operator's override starts one.</summary>
    private static Superblock Entitle(Superblock stored, Generation fresh) =>
        !IsEntitled(stored)
            ? GenerationRules.StartNew(stored, fresh) with
            {
                Proof = new Proof(ProofKind.OperatorOverride, stored.Session),
                DiskState = DiskState.UpToDate,
                ResyncFrom = Generation.None,
                JustCreated = false,
            }
            : GenerationRules.HoldsOwnGeneration(stored) ? stored : GenerationRules.StartNew(stored, fresh);

    private void PromoteJoined()
    {
        int link = _link;
        bool applied = false;
        _promotingJoined = true;
        Store(
            s =>
            {
                applied = MayBecomePrimary(s, link);
                return applied ? BecomePrimary(s, _peerPromotions) : s;
            },
            () =>
            {
                _promotingJoined = false;
                if (!applied || link != _link)
                {
                    FinishPromotion(false, "the link was lost", "mirrorctl status");
                    return;
                }

                Role = Role.Primary;
                _roleEndedHere = false;
                _roleWasTakenAway = false;
                _effects.SendMessage(new PeerMessage.RoleNotice(Role.Primary, State.Promotions));
                Resume(WritePath.Mirrored);
                FinishPromotion(true, "this node is Primary now", null);
                _effects.RoleChanged(Role.Primary, "promoted");
            });
    }

    /// <summary>What is stored before a node serves. From then on its copy has a history: it is no new one.</summary>
    private Superblock BecomePrimary(Superblock stored, ulong peerPromotions) =>
        GenerationRules.RaisePromotions(stored, peerPromotions) with
        {
            WasPrimary = true,
            JustCreated = false,
            WasAhead = _settings.Mode != ReplicationMode.Sync || stored is { WasPrimary: true, WasAhead: true },
        };

    /// <summary>A promotion goes above whatever was told; a number that cannot be is not believed.</summary>
    private void NotePeerPromotions(ulong promotions) =>
        _peerPromotions = IsImpossible(promotions) ? _peerPromotions : Math.Max(_peerPromotions, promotions);

    /// <summary>Looked at when the store is made: a stop or the loss of the link may have come first.</summary>
    private bool MayBecomePrimary(Superblock stored, int link) =>
        link == _link && !_stopping && stored.DiskState == DiskState.UpToDate;

    private void TakeOverRole(PeerMessage.HandOver handOver)
    {
        int link = _link;
        bool applied = false;
        Store(
            s =>
            {
                applied = MayBecomePrimary(s, link);
                return applied ? BecomePrimary(s, handOver.Promotions) : s;
            },
            () =>
            {
                if (!applied || link != _link)
                {
                    FinishPromotion(false, "the link was lost", "mirrorctl status");
                    return;
                }

                PeerRole = Role.Standby;
                Role = Role.Primary;
                _roleEndedHere = false;
                _roleWasTakenAway = false;
                _effects.SendMessage(new PeerMessage.HandOverDone());
                _generationStarted = _keeps;
                Resume(_keeps ? WritePath.Alone : WritePath.Mirrored);
                _keeps = false;
                FinishPromotion(true, "this node is Primary now", null);
                _effects.RoleChanged(Role.Primary, $"{_settings.PeerName} handed over");
            });
    }
}
