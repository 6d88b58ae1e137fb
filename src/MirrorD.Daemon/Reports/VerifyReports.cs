using MirrorD.Api;
using MirrorD.Core.Verify;
using MirrorD.Engine.Control;

namespace MirrorD.Daemon.Reports;

/// <summary>Turns the engine's picture of a verify into what the API shows, and into words.</summary>
internal static class VerifyReports
{
    /// <summary>The verify of a status; null when there is none.</summary>
    /// <param name="status">The engine's picture.</param>
    /// <param name="node">Name of this node.</param>
    /// <param name="at">Turns loop time into time.</param>
    public static VerifyReport? Of(ResourceStatus status, string node, Func<long, DateTimeOffset> at) =>
        status.Verify is not { } verify ? null : new VerifyReport
        {
            Node = verify.IsOwn ? node : status.PeerName,
            Repair = verify.Repairs,
            TotalBytes = verify.IsOwn ? verify.TotalBytes : null,
            ComparedBytes = verify.ComparedBytes,
            DifferentBytes = verify.DifferentBytes,
            UnreadableBytes = verify.UnreadableBytes,
            RepairedBytes = verify.RepairedBytes,
            Findings =
            [
                .. verify.Findings.Select(finding => new VerifyFindingReport
                {
                    Volume = status.Volumes[finding.Volume].Name,
                    Offset = finding.Offset,
                    LengthBytes = finding.LengthBytes,
                    Kind = finding.Outcome switch
                    {
                        VerifyOutcome.UnreadableHere => "unreadable-here",
                        VerifyOutcome.UnreadableThere => "unreadable-there",
                        _ => "different",
                    },
                    Repaired = finding.IsRepaired,
                }),
            ],
            StartedAt = verify.IsOwn ? at(verify.StartedNs) : null,
            EndedAt = verify.EndedNs is { } ended ? at(ended) : null,
            EndedEarly = verify.EndedEarly,
        };

    /// <summary>One sentence on it.</summary>
    public static string InWords(VerifyReport verify)
    {
        long bad = verify.DifferentBytes + verify.UnreadableBytes - verify.RepairedBytes;
        string found = verify.DifferentBytes + verify.UnreadableBytes == 0 ? "all of it equal"
            : $"{verify.DifferentBytes} bytes in ranges that differ, {verify.UnreadableBytes} in ranges that can't be read, "
                + $"{verify.RepairedBytes} of them repaired";
        if (verify.EndedAt is not { } ended)
        {
            return $"A verify compares both copies: {verify.ComparedBytes} of {verify.TotalBytes} bytes so far, {found}.";
        }

        string end = verify.EndedEarly is { } early ? $" It ended early: {early}." : "";
        string mend = bad > 0
            ? $" 'mirrorctl verify --repair' would copy it from {verify.Node}, which compared: the Primary's copy counts, and without one "
                + "that of the source of the last join."
            : "";
        return $"The last verify ended {ended.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z: {verify.ComparedBytes} bytes compared by "
            + $"{verify.Node}, {found}.{end}{mend}";
    }
}
