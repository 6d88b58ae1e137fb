using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Failover;

/// <content>Clients, arbiter and gateways, and what is checked of them.</content>
internal sealed partial class FailoverWalk
{
    /// <summary>What a node may need to hear a heartbeat and act on it.</summary>
    private const long HearingNs = 400 * Ms;

    /// <summary>
    /// I-16: no takeover while the other node is Primary, lives, moves, and some network carries what it
    /// says.
    /// </summary>
    private void CheckPeerIsGone(Side side, string what)
    {
        Side peer = side.Peer;
        bool isServing = peer.Node.Replica.Role == Role.Primary && peer.PrimarySinceNs >= 0
            && Now - peer.PrimarySinceNs > HearingNs;
        bool areWell = new[] { side, peer }.All(s => s.Moves(Now) && Now - s.WellSinceNs > HearingNs);
        bool isHeard = peer.CarriesSinceNs.Any(since => since >= 0 && Now - since > HearingNs);
        Assert.False(isServing && areWell && isHeard, $"{what} while the Primary lives and can be heard");
    }

    /// <summary>I-13, seen from the disks: two nodes are never entitled to complete requests alone.</summary>
    private void CheckBoth()
    {
        if (_sides.All(s => s.Node.Replica.Path == WritePath.Alone))
        {
            SplitOr("both nodes go on alone");
        }
    }

    /// <summary>
    /// Documented for `auto` without arbiter: in a full partition in which both see a gateway both may go on.
    /// </summary>
    private void SplitOr(string problem)
    {
        Assert.True(MaySplit, problem);
        IsSplit = true;
    }

    private bool MaySplit =>
        !_hasArbiter && _onPeerLoss == PeerLoss.Auto && _evidence.Values.Any(nodes => nodes.Count == 2);

    private void Claim(Side side, SessionId session)
    {
        Count("claim");
        Note(side, "claims");
        Assert.True(_hasArbiter, "without arbiter nothing is claimed");
        Assert.Equal(DiskState.UpToDate, side.Node.Replica.State.DiskState);
        if (side.IsTakingOver && side.Node.Replica.Role == Role.Standby)
        {
            CheckPeerIsGone(side, "claims for a takeover");
        }

        _pair.Add(side.Node, "claim", () =>
        {
            if (!side.IsWithoutArbiter || _random.Next(3) == 0)
            {
                _keys.TryAdd(session, side.Node);
            }

            // The answer is late, or lost: the key may be taken all the same.
            ClaimAnswer answer = side.IsWithoutArbiter ? ClaimAnswer.Unreachable
                : _keys[session] == side.Node ? ClaimAnswer.Granted : ClaimAnswer.Refused;
            _pair.Add(side.Node, "claim answer", () =>
            {
                Note(side, $"{answer}");
                side.Node.Replica.ArbiterAnswered(session, answer);
            });
        });
    }

    private void AnswerGateway(Side side, long question)
    {
        if (side.Gateway == GatewayEvidence.Answers)
        {
            SessionId session = side.Node.Replica.State.Session;
            _evidence.TryAdd(session, []);
            _evidence[session].Add(side.Node);
        }

        Note(side, $"gateway {side.Gateway}");
        side.Node.Replica.GatewayAnswered(question, side.Gateway);
    }

    private void Write(Side side)
    {
        int number = Blocks[_random.Next(Blocks.Length)];
        if (_blocks[number].Open is null && side.Node.Replica.Role == Role.Primary && side.Moves(Now))
        {
            ManualRequest request = side.Node.Make(VolumeOperation.Write, number, ++_stamp);
            Note(side, $"write {number} = {_stamp}");
            _blocks[number].Open = request;
            side.Node.Replica.Submit(request);
        }
    }

    private void Flush(Side side)
    {
        if (side.Node.Replica.Role == Role.Primary && side.Moves(Now))
        {
            ManualRequest request = side.Node.Make(VolumeOperation.Flush);
            _flushes.Add((request, _blocks.ToDictionary(b => b.Key, b => b.Value.Acknowledged)));
            side.Node.Replica.Submit(request);
        }
    }

    private void Read(Side side)
    {
        if (!side.Moves(Now))
        {
            return;
        }

        int number = Blocks[_random.Next(Blocks.Length)];
        Block block = _blocks[number];
        ManualRequest request = side.Node.Make(VolumeOperation.Read, number);
        request.Least = Math.Max(block.Durable, block.Seen);
        request.LeastWithoutPowerCut = _powerCuts ? 0 : block.Acknowledged;
        side.Node.Replica.Submit(request);
    }

    private void Completed(ManualRequest request)
    {
        int number = (int)(request.Offset / 4096);
        bool isDone = request.Result == 0;
        Replica owner = request.Owner!.Replica;
        if (isDone && owner.Path == WritePath.Alone && request.Operation != VolumeOperation.Read)
        {
            Count($"alone by {owner.State.Proof.Kind}");
            Assert.True(GenerationRules.HasValidProof(request.Owner.Stored[0]),
                "alone without a stored proof (I-4)");
            Assert.True(GenerationRules.HoldsOwnGeneration(request.Owner.Stored[0]),
                "alone without a generation (I-4)");
            _alone.TryAdd(owner.State.Session, request.Owner);
            if (_alone[owner.State.Session] != request.Owner)
            {
                SplitOr("two nodes complete alone in one session (I-13)");
            }
        }

        switch (request.Operation)
        {
            case VolumeOperation.Write:
                Block block = _blocks[number];
                Assert.Same(block.Open, request);
                block.Open = null;
                block.Acknowledged = isDone && !block.IsOpenDoubtful ? request.Stamp : block.Acknowledged;
                block.IsOpenDoubtful = false;
                _trace.Add($"  done {number} = {request.Stamp}: {request.Result}");
                break;
            case VolumeOperation.Flush:
                int at = _flushes.FindIndex(f => f.Request == request);
                foreach ((int covered, int stamp) in isDone ? _flushes[at].Acknowledged : [])
                {
                    _blocks[covered].Durable = Math.Max(_blocks[covered].Durable, stamp);
                }

                _trace.Add($"  flushed: {request.Result}");
                _flushes.RemoveAt(at);
                break;
            case VolumeOperation.Read when isDone && MaySplit && _sides.All(s => s.Node.Replica.HasProof):
                IsSplit = true;
                break;
            case VolumeOperation.Read when isDone:
                string found = $"block {number}: read {request.Stamp}";
                Assert.True(request.Stamp >= request.LeastWithoutPowerCut,
                    $"{found}, acknowledged {request.LeastWithoutPowerCut}");
                int least = Math.Min(request.Least, Math.Max(_blocks[number].Durable, _blocks[number].Seen));
                Assert.True(request.Stamp >= least, $"{found}, before {least} (I-3)");
                if (_blocks[number].Open is null)
                {
                    _blocks[number].Seen = Math.Max(_blocks[number].Seen, request.Stamp);
                }

                break;
            case VolumeOperation.Read or VolumeOperation.Zero or VolumeOperation.Discard:
                break;
        }
    }
}
