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
    private bool _committing;

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

        _link++;
        Phase = LinkPhase.Joining;
        _linkSession = session;
        _goodbye = null;
        if (Role == Role.Primary)
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
        _ownFacts = new HandshakeFacts
        {
            Node = _settings.Node,
            Boot = _settings.Boot,
            PeerBoot = State.PeerBoot,
            Role = Role,
            Current = State.Current,
            Bitmap = State.Bitmap,
            History = State.History,
            Session = State.Session,
            Promotions = State.Promotions,
            DiskState = State.DiskState,
            JustCreated = State.JustCreated,
            CreationSource = State.CreationSource,
            Sequence = State.Sequence,
            PeerSequence = State.PeerSequence,
            CrashedPrimary = State.WasPrimary && Role != Role.Primary,
            DirtyBlocks = DirtyBlocks,
            HasProof = HasProof,
            FullSyncNeeded = State.FullSyncNeeded,
            VolumeBytes = Array.ConvertAll(_stored, s => s.DataBytes),
        };
        _effects.SendMessage(new PeerMessage.Facts(HandshakeFactsCodec.Encode(_ownFacts)));
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
        switch (message)
        {
            case PeerMessage.Facts facts when Phase == LinkPhase.Joining && _peerFacts is null:
                if (!HandshakeFactsCodec.TryDecode(facts.Encoded.Span, out _peerFacts, out string? damage))
                {
                    return damage;
                }

                PeerRole = _peerFacts.Role;
                Decide();
                return null;
            case PeerMessage.Decision decision when Phase == LinkPhase.Joining && _peerDecision is null:
                _peerDecision = decision;
                Act();
                return null;
            case PeerMessage.Begin begin when IsPart(HandshakePart.Target) && Phase == LinkPhase.Joining:
                StoreTarget(begin);
                return null;
            case PeerMessage.DirtyPage page when IsPart(HandshakePart.Source) && Phase == LinkPhase.Joining:
                return MergePage(page);
            case PeerMessage.TargetReady when IsPart(HandshakePart.Source) && Phase == LinkPhase.Joining:
                StoreExcluded();
                return null;
            case PeerMessage.SourceReady ready when Phase == LinkPhase.Target:
                TargetSyncBytes = ready.SyncBytes;
                _effects.Changed();
                return null;
            case PeerMessage.Commit commit when Phase == LinkPhase.Target && Role == Role.Standby:
                StoreCommit(commit);
                return null;
            case PeerMessage.Committed when Phase == LinkPhase.Source && _committing:
                StoreFinish();
                return null;
            case PeerMessage.Finished when Phase == LinkPhase.Target:
                Joined();
                return null;
            default:
                return HandleRoleMessage(message);
        }
    }

    private bool IsPart(HandshakePart part) => _decision?.SelfIs == part && _peerDecision is not null;

    private void Decide()
    {
        if (_ownFacts is null || _peerFacts is null)
        {
            return;
        }

        _decision = HandshakeTable.Decide(_ownFacts, _peerFacts);
        LastDecision = _decision;
        _effects.SendMessage(new PeerMessage.Decision(
            (byte)_decision.Case, (byte)_decision.Action, (byte)_decision.SelfIs));
        Act();
    }

    private void Act()
    {
        if (_decision is null || _peerDecision is null || _peerFacts is null)
        {
            return;
        }

        HandshakeDecision mirrored = HandshakeTable.Decide(_peerFacts, _ownFacts!);
        if (_peerDecision.Case != (byte)mirrored.Case || _peerDecision.Action != (byte)mirrored.Action
            || _peerDecision.SelfIs != (byte)mirrored.SelfIs)
        {
            _effects.CloseLink(
                $"the nodes decide differently: here {_decision.Case}, there case {_peerDecision.Case}", true);
            return;
        }

        _effects.Raise("handshake", $"{_settings.Resource}: {_decision.Case}, {_decision.Action}, "
            + $"this node is {_decision.SelfIs}");
        switch (_decision.Action)
        {
            case HandshakeAction.NoSync or HandshakeAction.BitmapSync when _decision.SelfIs == HandshakePart.Source:
                _effects.SendMessage(new PeerMessage.Begin(false, Generation.None));
                break;
            case HandshakeAction.FullSync when _decision.SelfIs == HandshakePart.Source:
                PrepareFullSync();
                break;
            case HandshakeAction.NoSync or HandshakeAction.BitmapSync or HandshakeAction.FullSync:
                break;
            case HandshakeAction.DemoteFirst:
                if (_decision.SelfDemotes)
                {
                    LoseRight($"{_decision.Case}: {_settings.PeerName} has the newer right");
                }

                _effects.CloseLink($"{_decision.Case}: demotion before joining", operatorNeeded: false);
                break;
            case HandshakeAction.SplitBrain or HandshakeAction.Refuse or HandshakeAction.Operator:
                _effects.CloseLink($"{_decision.Case}: an operator has to decide", operatorNeeded: true);
                break;
        }
    }

    /// <summary>
    /// Before a full sync everything is durably dirty since a bitmap generation, which the target takes over at J1:
    /// an interrupted full sync goes on where it was.
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
            s => link == _link ? s with { Bitmap = s.Bitmap.IsNone ? fresh : s.Bitmap, JustCreated = false } : s,
            () =>
            {
                if (link == _link)
                {
                    _effects.SendMessage(new PeerMessage.Begin(true, State.Bitmap));
                }
            }));
    }

    /// <summary>J1.</summary>
    private void StoreTarget(PeerMessage.Begin begin)
    {
        int link = _link;
        bool sync = _decision!.Action != HandshakeAction.NoSync;
        Generation source = _peerFacts!.Current;
        Store(
            s => link != _link ? s : GenerationRules.BecomeTarget(s, begin.IsFull ? begin.Base : Generation.None) with
            {
                DiskState = sync ? DiskState.Inconsistent : DiskState.Outdated,
                ResyncFrom = sync ? source : Generation.None,
                Proof = Proof.None,
                PeerExcluded = false,
                JustCreated = !sync && s.JustCreated,
                FullSyncNeeded = !begin.IsFull && s.FullSyncNeeded,
                Peer = _peerFacts.Node,
                PeerBoot = _peerFacts.Boot,
                PeerSequence = _peerFacts.Sequence,
                PeerDiskState = _peerFacts.DiskState,
            },
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                Phase = LinkPhase.Target;
                SendDirtyPages();
                _effects.SendMessage(new PeerMessage.TargetReady());
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
        Store(
            s => link != _link ? s : s with
            {
                PeerExcluded = true,
                Peer = _peerFacts!.Node,
                PeerBoot = _peerFacts.Boot,
                PeerSequence = _peerFacts.Sequence,
                PeerDiskState = _decision!.Action == HandshakeAction.NoSync
                    ? DiskState.Outdated : DiskState.Inconsistent,
            },
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                Phase = LinkPhase.Source;
                _committing = false;
                StartCopies();
                _effects.SendMessage(new PeerMessage.SourceReady(DirtyBlocks * Limits.BlockBytes));
                if (Role == Role.Primary)
                {
                    Resume(WritePath.Mirrored);
                }

                PumpCopies();
            });
    }

    /// <summary>J4: the sync set is empty and both sides have flushed.</summary>
    private void StoreSession()
    {
        int link = _link;
        SessionId session = _linkSession;
        ulong promotions = Math.Max(State.Promotions, _peerFacts!.Promotions);
        _committing = true;
        Store(
            s => link != _link ? s : s with
            {
                Session = session,
                PeerExcluded = false,
                Proof = Proof.None,
                PeerMayHaveCurrent = true,
                Promotions = Math.Max(s.Promotions, promotions),
            },
            () =>
            {
                if (link == _link)
                {
                    _effects.SendMessage(new PeerMessage.Commit(State.Current, State.History, State.Promotions));
                }
            });
    }

    /// <summary>J5.</summary>
    private void StoreCommit(PeerMessage.Commit commit)
    {
        int link = _link;
        SessionId session = _linkSession;
        Store(
            s => link != _link ? s : GenerationRules.AdoptFromSource(s, commit.Current, commit.History) with
            {
                Session = session,
                DiskState = DiskState.UpToDate,
                PeerDiskState = DiskState.UpToDate,
                ResyncFrom = Generation.None,
                FullSyncNeeded = false,
                JustCreated = false,
                Proof = Proof.None,
                PeerExcluded = false,
                PeerMayHaveCurrent = false,
                WasPrimary = false,
                Promotions = Math.Max(s.Promotions, commit.Promotions),
            },
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                // The map may stay fuller than it need be after a crash here: that only costs a resync.
                foreach (Metadata.DirtyMap map in _maps)
                {
                    map.ClearBlocks(0, map.BlockCount);
                }

                StoreDirty(() => StoreEmptyLogs(() =>
                {
                    if (link == _link)
                    {
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
            s => link != _link ? s : GenerationRules.FinishSource(s) with
            {
                DiskState = DiskState.UpToDate,
                PeerDiskState = DiskState.UpToDate,
                PeerMayHaveCurrent = false,
                JustCreated = false,
                FullSyncNeeded = false,
                WasPrimary = Role == Role.Primary,
            },
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
        _effects.Raise("joined", $"{_settings.Resource}: joined with {_settings.PeerName} in session {State.Session}");
        if (HasChangedPages)
        {
            StoreDirty(static () => { });
        }

        GoOnWithRoleCommand();
        _effects.Changed();
    }

    private void ForgetHandshake()
    {
        _ownFacts = null;
        _peerFacts = null;
        _decision = null;
        _peerDecision = null;
        _committing = false;
    }
}
