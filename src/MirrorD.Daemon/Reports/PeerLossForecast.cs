using System.Globalization;
using MirrorD.Api;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Reports;

/// <summary>
/// Says what a node does if its peer is lost now: sections 5 and 6 of the safety contract for one resource
/// as it is configured and as it stands.
/// </summary>
/// <param name="report">The resource on this node.</param>
/// <param name="resource">Its configuration.</param>
/// <param name="cluster">The whole configuration.</param>
/// <param name="node">Name of this node.</param>
internal sealed class PeerLossForecast(
    ResourceReport report, ResourceConfiguration resource, ClusterConfiguration cluster, string node)
{
    private bool HasArbiter => cluster.Arbiter is not null;

    private bool HasGateway => cluster.Nodes[node].HasGateway;

    private string DeadAfter => Time(cluster.Heartbeat.DeadAfterMs);

    /// <summary>Some sentences.</summary>
    public string Sentences() =>
        string.Join(' ', report.Role == "Primary" ? OfPrimary() : OfStandby());

    private IEnumerable<string> OfPrimary()
    {
        if (report.DiskState is "Failed" or "Diskless")
        {
            yield return $"Requests wait until {report.Peer}, which has the only copy, is back; it takes over if it lives.";
            yield break;
        }

        if (report.Proof != "None")
        {
            yield return "Nothing changes: this node goes on alone already.";
            yield break;
        }

        if (report.DiskState != "UpToDate")
        {
            yield return $"Requests wait until {report.Peer} is back: this copy is {report.DiskState}, and " +
                "can't go on alone.";
            yield break;
        }

        yield return $"While {report.Peer} answers on any network, this node asks it to store that its " +
            "copy is Outdated, and then goes on alone.";
        yield return $"When {report.Peer} was heard on no network for {DeadAfter}: " + WithoutAnyPath();
    }

    private string WithoutAnyPath()
    {
        if (HasArbiter)
        {
            return "this node claims the session from the arbiter. Granted, it goes on; refused, it gives " +
                "the role up; unreachable, requests wait.";
        }

        return (resource.OnPeerLoss, HasGateway) switch
        {
            (PeerLossPolicy.Continue, _) =>
                "this node goes on alone ('on-peer-loss: continue'); if the other one is promoted as well, " +
                "the copies diverge.",
            (PeerLossPolicy.Auto, true) =>
                "this node goes on alone if its gateway answers ('on-peer-loss: auto'); else requests " +
                "wait, and the service addresses are dropped.",
            (PeerLossPolicy.Auto, false) =>
                "requests wait until the peer is back or an operator decides ('on-peer-loss: auto', and " +
                "this node has no gateway to ask).",
            _ =>
                "requests wait until the peer is back or an operator decides ('on-peer-loss: freeze').",
        };
    }

    private IEnumerable<string> OfStandby()
    {
        if (report.DiskState != "UpToDate")
        {
            yield return $"This node does not take over: its copy is {report.DiskState}.";
            yield break;
        }

        if (report.HoldUp?.State == "Disconnected")
        {
            yield return "This node takes nothing over while it is disconnected.";
            yield break;
        }

        if (!resource.Autoswitch)
        {
            yield return $"{resource.AutoswitchOffReason}. 'mirrorctl promote {report.Name}' takes over " +
                "where the rules allow it.";
            yield break;
        }

        if (report.Link == "Joined" && report.PeerRole == "Standby")
        {
            yield return "Nobody is Primary, so nothing is taken over.";
            yield break;
        }

        string delay = resource.TakeoverDelayMs == 0 ? "" : $" and then {Time(resource.TakeoverDelayMs)}";
        yield return $"While {report.Peer} is heard on any network, this node does not take over.";
        yield return $"When {report.Peer} was heard on no network for {DeadAfter}{delay}, this node takes " +
            $"over if {string.Join(", ", Conditions())}.";
    }

    private IEnumerable<string> Conditions()
    {
        if (report.Proof == "None" && !HasArbiter)
        {
            yield return "the nodes were joined, on all networks, since this daemon started";
            yield return $"{report.Peer} was Primary";
        }

        if (HasGateway)
        {
            yield return "its gateway answers";
        }

        // With an arbiter, whose word counts more, an answer is an alarm only.
        if (!HasArbiter && resource.On[node].Addresses.Count > 0 && resource.AddressProbe.Count > 0)
        {
            yield return "nobody answers for the service addresses";
        }

        if (HasArbiter && report.Proof == "None")
        {
            yield return "the arbiter grants it the session";
        }

        if (report.Proof != "None")
        {
            yield return $"its proof still holds ({report.Proof})";
        }
    }

    private static string Time(int milliseconds) => milliseconds % 1000 == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000} s")
        : string.Create(CultureInfo.InvariantCulture, $"{milliseconds} ms");
}
