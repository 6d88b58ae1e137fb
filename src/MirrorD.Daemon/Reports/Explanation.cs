using MirrorD.Api;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Reports;

/// <summary>Says in sentences why a resource is in its state, and what would happen if.</summary>
internal static class Explanation
{
    /// <param name="report">The resource on this node.</param>
    /// <param name="resource">Its configuration.</param>
    /// <param name="cluster">The whole configuration.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="paths">The networks on which other nodes are heard.</param>
    public static ExplainReport Of(
        ResourceReport report, ResourceConfiguration resource, ClusterConfiguration cluster, string node,
        IReadOnlyList<PathReport> paths) =>
        new()
        {
            Resource = report.Name,
            Why = [.. Why(report, node, paths)],
            WaitsFor = WaitsFor(report),
            Remedy = report.HoldUp is { } holdUp
                ? holdUp.Remedy
                : report.LinkProblem is null
                    ? null
                    : $"look after {report.Peer} and the network to it; mirrord goes on trying",
            IfPeerIsLost = new PeerLossForecast(report, resource, cluster, node).Sentences(),
            IfForced = [.. IfForced(report)],
        };

    private static IEnumerable<string> Why(
        ResourceReport report, string node, IReadOnlyList<PathReport> paths)
    {
        yield return $"Node {node} is {report.Role} of {report.Name}, and its copy is {report.DiskState}: " +
            DiskStateMeans(report.DiskState);
        yield return report.Link switch
        {
            "Joined" => $"It is joined with {report.Peer} ({report.PeerRole}, {report.PeerDiskState}): " +
                "each write is on both nodes before it completes.",
            "Diskless" when report.Role == "Primary" =>
                $"Requests go to the disk of {report.Peer}, whose copy is the only one.",
            "Diskless" => $"Its copy is the only one: the Primary {report.Peer} has no disk and goes on with this one.",
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

        if (paths.Any(path => path.Peer == report.Peer && path.State != PathState.Up))
        {
            yield return $"Networks to {report.Peer}: " + string.Join(
                ", ", paths.Where(path => path.Peer == report.Peer).Select(
                    path => $"{path.Kind} {path.Network} {path.State}")) + ".";
        }

        if (report is { Role: "Standby", DiskState: "Outdated" } && report.Link != "Joined")
        {
            yield return $"It has not taken over and will not: {report.Peer} went on without it " +
                $"{Since(report)}, so this copy lacks what {report.Peer} wrote from then on.";
        }

        if (report.Proof != "None")
        {
            yield return $"It may go on alone in this session: {report.Proof}.";
        }

        if (report.HoldUp is { } holdUp)
        {
            yield return $"{holdUp.State} since {holdUp.Since:yyyy-MM-dd HH:mm:ss}Z: {holdUp.Reason}";
        }

        if (report.Verify is { } verify)
        {
            yield return VerifyReports.InWords(verify);
        }

        if (report.NextVerifyAt is { } next)
        {
            yield return $"The next verify is due {next.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z.";
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
        "Failed" => "its disk failed, and is not used any more.",
        _ => "its disk is out of use.",
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

    private static string Since(ResourceReport report) => report.OutdatedSince is { } since
        ? $"since {since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"
        : "since they parted";

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
                yield return $"This copy is known to be old: everything that {report.Peer} wrote " +
                    $"{Since(report)} is lost. How many bytes that is can't be told from here.";
                break;
            case "Failed" or "Diskless":
                yield return "This node has no usable copy: it will be refused.";
                yield break;
        }

        if (report.DiskState != "Outdated")
        {
            yield return $"Whatever {report.Peer} completed on its own since the connection was lost is " +
                "missing here.";
        }

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
