using MirrorD.Core.Failover;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// While joined and without a production network to the peer, each node asks its own gateway and tells the peer: a
/// Primary that clients can't reach hands over to a Standby that they can (prefer-connected-node).
/// </summary>
public sealed partial class Replica
{
    private const long AskProductionEveryNs = 2_000_000_000;

    private GatewayEvidence _production;
    private long _productionAskedNs;
    private bool _isBetterPlaceTold;
    private bool _isSwitchoverWanted;
    private long _switchoverAtNs;

    /// <summary>The production gateway answers; found out only while the peer is not heard on that network.</summary>
    public bool HasProduction => _production == GatewayEvidence.Answers;

    private void WatchProduction()
    {
        if (Phase != LinkPhase.Joined || _paths is not { IsProductionLost: true })
        {
            if (_production != GatewayEvidence.Unknown)
            {
                _production = GatewayEvidence.Unknown;
                _effects.Changed();
            }

            _isBetterPlaceTold = false;
            _isSwitchoverWanted = false;
            return;
        }

        if (_gatewayLink != _link && _effects.NowNs - _productionAskedNs >= AskProductionEveryNs)
        {
            _productionAskedNs = _effects.NowNs;
            PutGatewayQuestion();
        }

        bool isWorse = _production is GatewayEvidence.Silent or GatewayEvidence.NoCarrier;
        if (!isWorse || Role != Role.Primary || PeerRole != Role.Standby || _paths.Report is not { HasProduction: true })
        {
            _isSwitchoverWanted &= Role == Role.Primary;
            return;
        }

        string what = $"this node has lost its production network, and {_settings.PeerName} has not";
        if (!_isBetterPlaceTold)
        {
            _isBetterPlaceTold = true;
            if (_settings.FollowsProduction)
            {
                _effects.Raise("switchover-begun", $"{_settings.Resource}: {what}: it hands over");
                _isSwitchoverWanted = true;
            }
            else
            {
                _effects.Raise("production-lost", $"{_settings.Resource}: {what}; to let it serve: "
                    + $"mirrorctl switchover {_settings.Resource}");
            }
        }

        if (_isSwitchoverWanted && _effects.NowNs >= _switchoverAtNs)
        {
            _isSwitchoverWanted = false;
            _effects.SwitchOver(what);
        }
    }

    /// <summary>What SwitchOver asked for can't be begun now, as something else is being done: it is asked for again.</summary>
    public void SwitchOverNotBegun()
    {
        _isSwitchoverWanted = true;
        _switchoverAtNs = _effects.NowNs + AskProductionEveryNs;
    }

    private void ProductionAnswered(GatewayEvidence evidence)
    {
        _gatewayLink = -1;
        if (evidence != _production && Phase == LinkPhase.Joined)
        {
            _production = evidence;
            _effects.Changed();
        }
    }
}
