using MirrorD.Api;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Reports;

/// <summary>Says in sentences why a resource is in its state, and what would happen if.</summary>
internal static class Explanation
{
    public static ExplainReport Of(
        ResourceReport report, ResourceConfiguration resource, string node, bool hasArbiter) =>
        new()
        {
            Resource = report.Name,
            Why = [.. Why(report, node)],
            WaitsFor = WaitsFor(report),
            Remedy = report.HoldUp is { } holdUp
                ? holdUp.Remedy
                : report.LinkProblem is null
                    ? null
                    : $"look after {report.Peer} and the network to it; mirrord goes on trying",
            IfPeerIsLost = IfPeerIsLost(report, resource, hasArbiter),
            IfForced = [.. IfForced(report)],
        };

    private static IEnumerable<string> Why(ResourceReport report, string node)
    {
        yield return $"Node {node} is {report.Role} of {report.Name}, and its copy is {report.DiskState}: " +
            DiskStateMeans(report.DiskState);
        yield return report.Link switch
        {
            "Joined" => $"It is joined with {report.Peer} ({report.PeerRole}, {report.PeerDiskState}): " +
                "each write is on both nodes before it completes.",
            "SyncSource" => $"It sends {report.Peer} what differs; writes go to both meanwhile.",
            "SyncTarget" =>
                $"It receives from {report.Peer} what differs, and can't be promoted until that is done.",
            "Joining" or "Authenticating" => $"It is connecting with {report.Peer}.",
            "Refused" =>
                $"The connection with {report.Peer} was refused for a reason that needs an operator.",
            _ => $"It is not connected with {report.Peer}.",
        };
        if (report.LinkProblem is { } problem)
        {
            yield return $"The last attempt to connect failed: {problem}.";
        }

        if (report.HandshakeCase is { } handshake)
        {
            yield return $"The last handshake decided: {handshake}.";
        }

        if (report.Proof != "None")
        {
            yield return $"It may go on alone in this session: {report.Proof}.";
        }

        if (report.HoldUp is { } holdUp)
        {
            yield return $"{holdUp.State} since {holdUp.Since:yyyy-MM-dd HH:mm:ss}Z: {holdUp.Reason}";
        }

        if (report.HeldRequests > 0)
        {
            yield return $"{report.HeldRequests} requests wait; none of them is lost.";
        }

        if (report.Step is { } step)
        {
            yield return $"Right now it is {step}.";
        }
    }

    private static string DiskStateMeans(string state) => state switch
    {
        "UpToDate" => "as new as the other one when they parted.",
        "Consistent" => "a sound image of the past; nobody knows yet whether the other node went on alone.",
        "Outdated" => "a sound image of the past; the other node has, or may have, newer data.",
        "Inconsistent" => "a mixture of old and new blocks of an unfinished resync.",
        "Failed" => "its disk failed.",
        _ => "it has no disk.",
    };

    private static string? WaitsFor(ResourceReport report) => report switch
    {
        { HoldUp: { } holdUp } => $"{holdUp.Owner} to act",
        { Step: { } step } => $"the end of a step: {step}",
        { Resync: not null } => "the end of the resync",
        { Link: "Disconnected" } => $"the connection with {report.Peer}",
        { Link: "Authenticating" or "Joining" } => $"the join with {report.Peer}",
        _ => null,
    };

    private static string IfPeerIsLost(ResourceReport report, ResourceConfiguration resource, bool hasArbiter)
    {
        if (report.Role != "Primary")
        {
            return $"This node stays Standby; 'mirrorctl promote {report.Name}' takes over where the rules " +
                "allow it.";
        }

        if (report.Proof != "None")
        {
            return "Nothing changes: this node goes on alone already.";
        }

        if (hasArbiter)
        {
            return "This node claims the session from the arbiter: granted, it goes on; refused, it gives " +
                "the role " +
                "up; unreachable, requests wait.";
        }

        return resource.OnPeerLoss == PeerLossPolicy.Continue
            ? "This node goes on alone at once ('on-peer-loss: continue'); if the other one is promoted as " +
                "well, the " +
                "copies diverge."
            : "Requests wait until the peer is back or an operator decides ('on-peer-loss: freeze').";
    }

    private static IEnumerable<string> IfForced(ResourceReport report)
    {
        if (report.Role == "Primary" && report.HoldUp is null)
        {
            yield return "Nothing is lost: this node is Primary already.";
            yield break;
        }

        if (report.Link == "Joined")
        {
            yield return report.PeerRole == "Primary"
                ? $"It will be refused: {report.Peer} is Primary and connected; 'mirrorctl switchover " +
                    $"{report.Name}' " +
                    "changes roles without loss."
                : "Nothing is lost: both copies are equal; '--force' is not needed.";
            yield break;
        }

        switch (report.DiskState)
        {
            case "Inconsistent":
                yield return "This copy is a mixture of old and new blocks: file systems on it may be " +
                    "damaged, and files may hold anything.";
                break;
            case "Outdated":
                yield return "This copy is known to be old: everything that " +
                    $"{report.Peer} wrote since they parted is lost.";
                break;
            case "Failed" or "Diskless":
                yield return "This node has no usable copy: it will be refused.";
                yield break;
        }

        yield return "Whatever " +
            $"{report.Peer} completed on its own since the connection was lost is missing here.";
        yield return $"If {report.Peer} still runs as Primary, or is promoted too, both copies change on " +
            "their own (SplitBrain), and one side's changes will have to be discarded by hand. Make sure " +
            "that it is off.";
        long dirty = report.Volumes.Sum(volume => volume.DirtyBytes);
        if (dirty > 0)
        {
            yield return $"{dirty} bytes are marked here as possibly different on {report.Peer}.";
        }
    }
}
