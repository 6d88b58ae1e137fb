using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Engine.Control;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Engine.Replication;

/// <summary>Between the replica's decisions, the watch over the peer, and the steps of a takeover.</summary>
public sealed partial class ReplicatedResource : IWatchedResource
{
    private static readonly ResourceBeat s_loading =
        new(Role.Standby, DiskState.Consistent, SessionId.None, 0, IsServing: false);

    private volatile ResourceBeat _beat = s_loading;
    private long _lastTickNs;

    /// <summary>The watch over the peer; null when none runs: then every path counts as lost. Set before the start.</summary>
    public IPeerWatch? Watch { get; set; }

    /// <summary>What the decision table said last; null while the link decides.</summary>
    internal FailoverDecision? Decision => _replica?.LastFailover;

    /// <inheritdoc/>
    public ResourceBeat Beat => _beat;

    /// <inheritdoc/>
    public long LastTickNs => Volatile.Read(ref _lastTickNs);

    /// <inheritdoc/>
    public bool IsPeer(NodeId node) => _peer is not NodeId known || known == node;

    // Boxed, as the watch reads it on its own thread; null until a peer was joined.
    private volatile object? _peer;

    /// <inheritdoc/>
    public void PathsChanged(PathPicture picture) => _loop.Post(() =>
    {
        _picture = picture;
        _replica?.PathsChanged(picture);
        AfterEvent();
    });

    /// <inheritdoc/>
    public void ControlArrived(ControlMessage message) => _loop.Post(() =>
    {
        _replica?.ControlArrived(message);
        AfterEvent();
    });

    /// <inheritdoc/>
    public void StuckChanged(bool isStuck)
    {
        _host.StuckChanged(isStuck);
        if (!isStuck)
        {
            _loop.Post(_roles.AddressesWereRemoved);
        }
    }

    private PathPicture? _picture;

    void IReplicaEffects.SendControl(ControlMessage message) => Watch?.Send(Name, message);

    void IReplicaEffects.AskGateway(long question) => _host.ProbeGateway(evidence =>
    {
        _replica!.GatewayAnswered(question, evidence);
        AfterEvent();
    });

    void IReplicaEffects.TakeOver(string reason, bool resumes) => _loop.Post(() =>
    {
        Replica replica = _replica!;
        _roles.TakeOver(
            resumes ? RoleRecordKind.Promotion : RoleRecordKind.Takeover,
            resumes ? $"the role is this node's ({reason})" : $"{_options.PeerName} is lost ({reason})",
            LostSinceNs(), replica.WhyNotTakeOver, _ => replica.TakeoverEnded());
        AfterEvent();
    });

    void IReplicaEffects.WantAddresses(bool wanted, string reason)
    {
        if (wanted)
        {
            _roles.RestoreAddresses();
        }
        else
        {
            _roles.WithdrawAddresses(reason);
        }
    }

    void IReplicaEffects.SwitchOver(string reason) => _loop.Post(() =>
    {
        if (!_roles.HandOver(reason))
        {
            _replica!.SwitchOverNotBegun();
        }
    });

    /// <summary>Since when a path to a lost peer is lost; now when none is.</summary>
    private long LostSinceNs()
    {
        IEnumerable<PathSight> lost = (_picture?.Paths ?? []).Where(path => path.State == PathState.Lost);
        return _replica!.PeerGoneSinceNs < 0
            ? _loop.NowNs
            : lost.Select(path => path.SinceNs).Append(_replica.PeerGoneSinceNs).Min();
    }

    /// <summary>What heartbeats tell, made anew only when it changed.</summary>
    private void NoteBeat()
    {
        Replica replica = _replica!;
        if (replica.State.Peer != default && !replica.State.Peer.Equals(_peer))
        {
            _peer = replica.State.Peer;
        }

        var now = new ResourceBeat(
            replica.Role, replica.DiskState, replica.State.Session,
            replica.State.Promotions,
            replica.Role == Role.Primary && replica.Path != WritePath.Closed && replica.Failure is null,
            replica.HasProduction, replica.IsDisconnected);
        if (now != _beat)
        {
            _beat = now;
        }
    }
}
