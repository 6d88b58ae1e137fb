using System.Buffers.Binary;
using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// Joining, J0 to J6 of the safety contract, section 4, on every connection:
/// J0 both decide by the same table; J1 the target stores Outdated or Inconsistent; J2 the source stores "peer
/// excluded"; J3 resync until the sync set is empty and flushed; J4 the source stores the new session; J5 the target
/// stores the source's generation, the session and UpToDate; J6 the source ends its bitmap generation.
/// </summary>
public sealed partial class Replica
{
    private SessionId _linkSession;
    private HandshakeFacts? _ownFacts;
    private HandshakeFacts? _peerFacts;
    private HandshakeDecision? _decision;
    private PeerMessage.Decision? _peerDecision;
    private ReplicationMode _peerMode = ReplicationMode.Sync;
    private bool _committing;
    private bool _splitBrainTold;
    private HandshakeDecision? _toldDecision;
    private bool _isRepetition;
    private JoinStep _step;
    private long _joinProgressNs;

    /// <summary>How far both sides know that a join is: what one may say next, and what the other may believe.</summary>
    private enum JoinStep
    {
        /// <summary>J0.</summary>
        Deciding,
        /// <summary>The source has told the target to store J1.</summary>
        Begun,
        /// <summary>The target has said that J1 is stored.</summary>
        TargetReady,
        /// <summary>The source has said that J2 is stored: data may follow.</summary>
        SourceReady,
        /// <summary>The source has said that J4 is stored.</summary>
        Committed,
        /// <summary>The target has said that J5 is stored.</summary>
        Adopted,
    }

    /// <summary>Case of the last handshake, null before the first.</summary>
    public HandshakeDecision? LastDecision { get; private set; }

    /// <summary>An authenticated link is up; the session is the one that this connection will join.</summary>
    public void LinkUp(SessionId session)
    {
        Invariant.Require(!IsLinked, "one link at a time");
        if (Failure is not null)
        {
            _effects.CloseLink(Failure, operatorNeeded: true);
            return;
        }

        if (State.Disconnected)
        {
            _effects.CloseLink("this node is disconnected", operatorNeeded: false);
            return;
        }

        _link++;
        _promotingAlone = false;
        _isEligible = false;
        _allPathsWereUp = false;
        ForgetEvidence();
        Phase = LinkPhase.Joining;
        _linkSession = session;
        _goodbye = null;
        _peerPausesSync = false;
        _isRepetition = false;
        _begun = null;
        _joinProgressNs = _effects.NowNs;
        if (_demotion is not null && !_storingStandby)
        {
            // Its steps were planned for a node without link; what is stored so far is safe either way.
            FinishDemotion(false, $"{_settings.PeerName} came back meanwhile", "run the command again");
        }

        if (Role == Role.Primary
            && !(Path == WritePath.Alone && Canary.Breaks(BrokenRule.ServedDuringHandshake)))
        {
            Suspend();
        }

        // What is stored, and what is on its way to a disk, must not change under the facts.
        WhenQuiet(SendFacts);
        _effects.Changed();
        Settle();
    }

    private void SendFacts()
    {
        _ownFacts = WithPolicy(HandshakeFacts.Of(
            _stored, _settings.Boot, Role == Role.Primary, DirtyBlocks, _settings.Mode));
        _ownFacts = IsDiskless ? WithoutDisk(_ownFacts) : WithRoom(GivingWay(_ownFacts));
        byte[] encoded = new byte[HandshakeFactsCodec.MaximumBytes];
        int length = HandshakeFactsCodec.Encode(_ownFacts, encoded);
        _effects.SendMessage(new PeerMessage.Facts(encoded.AsMemory(0, length)));
        Decide();
    }

    /// <summary>A control message arrived, authenticated and of this connection.</summary>
    public void PeerSaid(PeerMessage message)
    {
        string? wrong = Handle(message);
        if (wrong is not null)
        {
            _effects.CloseLink($"protocol error: {wrong}", operatorNeeded: false);
        }

        Settle();
    }

    private string? Handle(PeerMessage message)
    {
        _joinProgressNs = _effects.NowNs;
        switch (message)
        {
            case PeerMessage.Facts facts when Phase == LinkPhase.Joining && _peerFacts is null:
                if (HandshakeFactsCodec.TryDecode(facts.Encoded.Span, out HandshakeFacts? read) is { } damage)
                {
                    return damage;
                }

                if (IsImpossible(read!.Promotions))
                {
                    return $"{read.Promotions} promotions";
                }

                _peerFacts = read;
                _peerMode = read.Mode;
                NotePeerPromotions(read.Promotions);
                PeerRole = _peerFacts!.IsPrimary ? Role.Primary : Role.Standby;
                Decide();
                return null;
            case PeerMessage.Decision decision when Phase == LinkPhase.Joining && _peerDecision is null:
                _peerDecision = decision;
                Act();
                return null;
            case PeerMessage.Begin begin when IsPart(HandshakePart.Target) && _step == JoinStep.Deciding:
                if (begin.IsFull != (_decision!.Value.Action == HandshakeAction.FullSync)
                    || (begin.IsFull && begin.Base.IsNone))
                {
                    return $"a sync that was not decided: {begin}";
                }

                _step = JoinStep.Begun;
                AfterGrowth(() => BecomeTarget(begin));
                return null;
            case PeerMessage.DirtyPage page when IsPart(HandshakePart.Source) && _step == JoinStep.Begun:
                return MergePage(page);
            case PeerMessage.TargetReady when IsPart(HandshakePart.Source) && _step == JoinStep.Begun:
                _step = JoinStep.TargetReady;
                TellPolicy();
                StoreExcluded();
                return null;
            case PeerMessage.SourceReady when IsPart(HandshakePart.Target) && _step == JoinStep.TargetReady:
                _step = JoinStep.SourceReady;
                _effects.Changed();
                return null;
            case PeerMessage.Commit commit when IsPart(HandshakePart.Target) && _step == JoinStep.SourceReady:
                if (commit.Current.IsNone || IsImpossible(commit.Promotions))
                {
                    return $"a commit of generation {commit.Current} with {commit.Promotions} promotions";
                }

                _step = JoinStep.Committed;
                StoreCommit(commit);
                return null;
            case PeerMessage.Committed when IsPart(HandshakePart.Source) && _step == JoinStep.Committed:
                _step = JoinStep.Adopted;
                StoreFinish();
                return null;
            case PeerMessage.Finished when Phase == LinkPhase.Target && _step == JoinStep.Adopted:
                Joined();
                return null;
            case PeerMessage.DiskLost lost when Phase == LinkPhase.Joined && PeerRole is not null && PeerRole != Role
                && lost.Session == State.Session:
                PeerLostDisk(lost);
                return null;
            case PeerMessage.DiskLossNoted noted when IsDiskless && Role == Role.Primary && Path == WritePath.Closed
                && (Phase == LinkPhase.Joined || _decision?.Action == HandshakeAction.ServeDiskless):
                LossNoted(noted.Current);
                return null;
            case PeerMessage.SyncPause pause when _peerDecision is not null:
                PeerPauses(pause);
                return null;
            case PeerMessage.Verified told when Phase == LinkPhase.Joined:
                PeerVerified(told);
                return null;
            case PeerMessage.GrowAsk ask when Phase == LinkPhase.Joined:
                return AnswerGrowAsk(ask);
            case PeerMessage.GrowAnswer answer when Phase == LinkPhase.Joined:
                return GrowAnswered(answer);
            default:
                return HandleRoleMessage(message);
        }
    }

    /// <summary>Nobody promotes so often; one more must not begin again at zero.</summary>
    private static bool IsImpossible(ulong promotions) => promotions > long.MaxValue;

    private bool IsPart(HandshakePart part) => _decision?.SelfIs == part && _peerDecision is not null;

    private void Decide()
    {
        if (_ownFacts is null || _peerFacts is null)
        {
            return;
        }

        HandshakeDecision decision = HandshakeTable.Decide(_ownFacts, _peerFacts);
        _decision = decision;
        LastDecision = decision;
        _effects.SendMessage(new PeerMessage.Decision(
            (byte)decision.Case, (byte)decision.Action, (byte)decision.SelfIs));
        Act();
    }

    private void Act()
    {
        if (_decision is not { } decision || _peerDecision is null)
        {
            return;
        }

        HandshakeDecision mirrored = decision.Mirrored;
        if (_peerDecision != new PeerMessage.Decision(
            (byte)mirrored.Case, (byte)mirrored.Action, (byte)mirrored.SelfIs))
        {
            _effects.CloseLink(
                $"the nodes decide differently: here {decision.Case}, there case {_peerDecision.Case}", true);
            return;
        }

        TellHandshake(decision);
        AnswerDiscard(decision);
        switch (decision.Action)
        {
            case HandshakeAction.NoSync or HandshakeAction.BitmapSync when decision.SelfIs == HandshakePart.Source:
                AfterGrowth(() => SendBegin(new PeerMessage.Begin(false, Generation.None)));
                break;
            case HandshakeAction.FullSync when decision.SelfIs == HandshakePart.Source:
                AfterGrowth(PrepareFullSync);
                break;
            case HandshakeAction.NoSync or HandshakeAction.BitmapSync or HandshakeAction.FullSync:
                _roleWasTakenAway &= !WasPeerPromotedSince(decision);
                break;
            case HandshakeAction.ServeDiskless:
                if (decision.SelfIs == HandshakePart.Source)
                {
                    KeepAgain();
                }

                break;
            case HandshakeAction.DemoteFirst:
                if (decision.SelfIs == HandshakePart.Target)
                {
                    LoseRight($"{decision.Case}: {_settings.PeerName} has the newer right");
                }

                _effects.CloseLink($"{decision.Case}: demotion before joining", operatorNeeded: false);
                break;
            case HandshakeAction.SplitBrain or HandshakeAction.Refuse or HandshakeAction.Operator:
                NotePolicy(decision);
                TellSplitBrain(decision);
                GiveUpWithoutDisk(decision);
                _effects.CloseLink($"{decision.Case}: an operator has to decide", operatorNeeded: true);
                break;
        }
    }

    /// <summary>
    /// The peer is Primary, or was and went on from the generation of this copy, and nobody has ended that role: the word that
    /// ended the one of this node was about an earlier one. Counts of promotions alone do not say which came first.
    /// </summary>
    private bool WasPeerPromotedSince(HandshakeDecision decision) => _peerFacts!.IsPrimary
        || (decision.Case is HandshakeCase.PeerAhead or HandshakeCase.PeerFarAhead && _peerFacts.WasPrimary);

    /// <summary>
    /// Nodes that stay apart meet again each few seconds: told once, or the events of what has led to it would soon be
    /// forgotten behind thousands of these.
    /// </summary>
    private void TellHandshake(HandshakeDecision decision)
    {
        _isRepetition = decision == _toldDecision
            && decision.Action is HandshakeAction.SplitBrain or HandshakeAction.Refuse or HandshakeAction.Operator;
        _toldDecision = decision;
        if (!_isRepetition)
        {
            _effects.Raise("handshake", $"{_settings.Resource}: {decision.Case}, {decision.Action}, "
                + $"this node is {decision.SelfIs}");
        }
    }

    /// <summary>Once until the next join: the nodes go on trying to connect, and find the same again.</summary>
    private void TellSplitBrain(HandshakeDecision decision)
    {
        if (decision.Action == HandshakeAction.SplitBrain && !_splitBrainTold)
        {
            _splitBrainTold = true;
            _effects.Raise("split-brain", $"{_settings.Resource}: {_settings.PeerName} and this node both have data that "
                + "the other one lacks; nothing is overwritten, an operator has to decide");
        }
    }

    /// <summary>
    /// Before a full sync everything is durably dirty since a bitmap generation, which the target takes over at J1:
    /// an interrupted full sync goes on where it was (<see cref="FullSyncBase"/>).
    /// </summary>
    private void PrepareFullSync()
    {
        int link = _link;
        foreach (Metadata.DirtyMap map in _maps)
        {
            map.MarkAll();
        }

        var fresh = new Generation(_effects.NewIdentifier());
        StoreDirty(() => Store(
            s => link == _link ? FullSyncBase.Count(s, fresh) : s,
            () =>
            {
                if (link == _link)
                {
                    SendBegin(new PeerMessage.Begin(true, State.Bitmap));
                }
            }));
    }

    private void SendBegin(PeerMessage.Begin begin)
    {
        _step = JoinStep.Begun;
        _effects.SendMessage(begin);
    }

    /// <summary>J1.</summary>
    private void StoreTarget(PeerMessage.Begin begin)
    {
        int link = _link;
        HandshakeAction action = _decision!.Value.Action;
        HandshakeFacts source = _peerFacts!;
        bool givesWay = _decision.Value.EndsSplit;
        Store(
            s =>
            {
                if (link != _link)
                {
                    return s;
                }

                Superblock target = GenerationRules.BecomeTarget(s, action, source) with
                {
                    Peer = source.Node,
                    PeerBoot = source.Boot,
                    PeerSequence = source.Volumes[s.VolumeIndex].Sequence,
                    PeerDiskState = source.DiskState,
                };
                return begin.IsFull ? FullSyncBase.Adopt(target, begin.Base) with { WasPrimary = target.WasPrimary && !givesWay }
                    : givesWay ? GenerationRules.GiveWay(target, source.Bitmap) : target;
            },
            () =>
            {
                if (link == _link)
                {
                    Phase = LinkPhase.Target;
                    TellOfOverwritten();
                    ServeGrown();
                    _step = JoinStep.TargetReady;
                    DiscardStored();
                    TellPolicy();
                    if (!givesWay || !Canary.Breaks(BrokenRule.DiscardedChangesKept))
                    {
                        SendDirtyPages();
                    }

                    _effects.SendMessage(new PeerMessage.TargetReady());
                    if (PausesSync)
                    {
                        TellPause();
                    }
                }
            });
    }

    private void SendDirtyPages()
    {
        for (int volume = 0; volume < _maps.Length; volume++)
        {
            Metadata.DirtyMap map = _maps[volume];
            for (int page = 0; page < map.PageCount; page++)
            {
                if (map.IsPageEmpty(page))
                {
                    continue;
                }

                byte[] bits = new byte[Metadata.DirtyMap.PageBytes];
                map.CopyPage(page, bits);
                _effects.SendMessage(new PeerMessage.DirtyPage(volume, page, bits));
            }
        }
    }

    private string? MergePage(PeerMessage.DirtyPage page)
    {
        if ((uint)page.Volume >= (uint)_maps.Length || (uint)page.Page >= (uint)_maps[page.Volume].PageCount
            || page.Bits.Length != Metadata.DirtyMap.PageBytes)
        {
            return $"page {page.Page} of volume {page.Volume} does not exist";
        }

        _maps[page.Volume].MergePage(page.Page, page.Bits.Span);
        return null;
    }

    /// <summary>J2; from here on requests go to both sides.</summary>
    private void StoreExcluded()
    {
        int link = _link;
        DiskState targetState = _decision!.Value.Action == HandshakeAction.NoSync
            ? DiskState.Outdated : DiskState.Inconsistent;
        Store(
            s => link != _link ? s : GenerationRules.ExcludePeer(s, targetState) with
            {
                Peer = _peerFacts!.Node,
                PeerBoot = _peerFacts.Boot,
                PeerSequence = _peerFacts.Volumes[s.VolumeIndex].Sequence,
            },
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                Phase = LinkPhase.Source;
                _step = JoinStep.SourceReady;
                ServeGrown();
                StartCopies();
                _effects.SendMessage(new PeerMessage.SourceReady(DirtyBlocks * Limits.BlockBytes));
                if (PausesSync)
                {
                    TellPause();
                }

                if (Role == Role.Primary && _demotion is null)
                {
                    Resume(WritePath.Mirrored);
                }

                OpenRole();
                PumpCopies();
            });
    }

    /// <summary>J4: the sync set is empty and both sides have flushed.</summary>
    private void StoreSession()
    {
        int link = _link;
        SessionId session = _linkSession;
        HandshakeFacts target = _peerFacts!;
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(id, _effects.NewIdentifier());
        BinaryPrimitives.WriteUInt64LittleEndian(id[8..], _effects.NewIdentifier());
        var newResourceId = new Guid(id);
        _committing = true;
        if (Canary.Breaks(BrokenRule.TargetCommitsFirst))
        {
            TellCommit(Commit(State));
        }

        Store(Commit, () =>
        {
            if (link == _link && !Canary.Breaks(BrokenRule.TargetCommitsFirst))
            {
                TellCommit(State);
            }
        });

        Superblock Commit(Superblock stored) => link != _link ? stored : GenerationRules.LevelPromotions(
            GenerationRules.CommitSource(stored, session, target.Node, newResourceId), target.Promotions);
    }

    private void TellCommit(Superblock committed)
    {
        _step = JoinStep.Committed;
        _effects.SendMessage(new PeerMessage.Commit(
            committed.ResourceId, committed.Current, committed.History, committed.Promotions, committed.Sequence));
    }

    /// <summary>J5.</summary>
    private void StoreCommit(PeerMessage.Commit commit)
    {
        int link = _link;
        var adopted = new JoinCommit(_peerFacts!.Node, _peerFacts.Boot, commit.ResourceId, _linkSession,
            commit.Current, commit.History, commit.Promotions);
        Store(
            s => link != _link ? s : GenerationRules.AdoptFromSource(s, adopted, commit.Sequence, KeepsRole),
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                _effects.DropSnapshot();

                // The map may stay fuller than it need be after a crash here: that only costs a resync.
                foreach (Metadata.DirtyMap map in _maps)
                {
                    map.ClearBlocks(0, map.BlockCount);
                }

                StoreDirty(() => StoreEmptyLogs(_touch, () =>
                {
                    if (link == _link)
                    {
                        _step = JoinStep.Adopted;
                        _effects.SendMessage(new PeerMessage.Committed());
                    }
                }));
            });
    }

    /// <summary>J6.</summary>
    private void StoreFinish()
    {
        int link = _link;
        Store(
            s => link != _link ? s : GenerationRules.FinishSource(
                s, Role == Role.Primary || KeepsRole, _peerFacts!.Boot,
                _peerFacts.Volumes[s.VolumeIndex].Sequence),
            () =>
            {
                if (link == _link)
                {
                    _effects.SendMessage(new PeerMessage.Finished());
                    Joined();
                }
            });
    }

    private void Joined()
    {
        Phase = LinkPhase.Joined;
        _splitBrainTold = false;
        _couldNotKeep = false;
        _hasJoined = true;
        _unconfirmedBytes = 0;
        _effects.Raise("joined", $"{_settings.Resource}: joined with {_settings.PeerName} in session {State.Session}");
        if (HasChangedPages)
        {
            StoreDirty(static () => { });
        }

        _isEligible = true;
        NotePaths();
        GoOnWithRoleCommand();
        GoOnWithDisconnect();
        OpenRole();
        _effects.Changed();
    }

    /// <summary>
    /// A peer that is connected but does not go on (a hanging disk there) holds up a Primary that could serve without it.
    /// </summary>
    private void WatchJoin()
    {
        if (Phase == LinkPhase.Joining && _effects.NowNs - _joinProgressNs > Limits.JoinSilenceNs && !_isStoring)
        {
            _joinProgressNs = _effects.NowNs;
            _effects.CloseLink($"{_settings.PeerName} does not go on with the handshake", operatorNeeded: true);
        }
    }

    private void ForgetHandshake()
    {
        _ownFacts = null;
        _peerFacts = null;
        _decision = null;
        _peerDecision = null;
        _committing = false;
        _step = JoinStep.Deciding;
    }
}
