using System.Globalization;
using MirrorD.Api;

namespace MirrorD.Control.Output;

/// <summary>
/// Status for scripts: a line per resource, columns parted by blanks, '-' for what is not known. Columns are
/// only ever added at the end, before NOTE.
/// </summary>
internal static class StatusColumns
{
    private static readonly string[] s_titles =
    [
        "RESOURCE", "HEALTH", "ROLE", "DISK", "LINK", "PEER", "PEER-ROLE", "PEER-DISK", "DIRTY-BYTES",
        "AUTOSWITCH", "MODE", "AHEAD-BYTES", "AHEAD-MS", "NEXT-VERIFY", "NOTE",
    ];

    private static readonly string[] s_pathTitles =
        ["PATH-TO", "KIND", "NETWORK", "STATE", "LAST-HEARD-MS"];

    /// <param name="report">The status.</param>
    /// <param name="output">Where it goes.</param>
    /// <param name="wide">A second table, behind an empty line, has the networks to other nodes.</param>
    public static void Write(StatusReport report, TextWriter output, bool wide)
    {
        WriteTable([s_titles, .. report.Resources.Select(Row)], output);
        if (wide)
        {
            output.WriteLine();
            WriteTable([s_pathTitles, .. report.Paths.Select(Row)], output);
        }
    }

    private static void WriteTable(IReadOnlyList<string[]> rows, TextWriter output)
    {
        int[] widths =
        [
            .. Enumerable.Range(0, rows[0].Length - 1).Select(i => rows.Max(row => row[i].Length)),
        ];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < widths.Length; i++)
            {
                output.Write(row[i].PadRight(widths[i]));
                output.Write(' ');
            }

            output.WriteLine(row[^1]);
        }
    }

    private static string[] Row(ResourceReport resource) =>
    [
        resource.Name, resource.Health, resource.Role, resource.DiskState, resource.Link, resource.Peer,
        resource.PeerRole ?? "-", resource.PeerDiskState ?? "-",
        resource.Volumes.Sum(volume => volume.DirtyBytes).ToString(CultureInfo.InvariantCulture),
        resource.Autoswitch ? "on" : "off",
        resource.Mode, resource.AheadBytes.ToString(CultureInfo.InvariantCulture),
        resource.AheadMs?.ToString(CultureInfo.InvariantCulture) ?? "-",
        resource.NextVerifyAt?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) ?? "-",
        Note(resource),
    ];

    private static string[] Row(PathReport path) =>
    [
        path.Peer, path.Kind, path.Network, path.State,
        path.LastHeardMs?.ToString(CultureInfo.InvariantCulture) ?? "-",
    ];

    private static string Note(ResourceReport resource) => resource switch
    {
        { HoldUp: { } holdUp } => holdUp.State,
        { Resync: { } resync } => "resync " + Quantity.Progress(resync),
        { Step: { } step } => step,
        { Verify: { } verify } when verify.EndedAt is null
            || verify.DifferentBytes + verify.UnreadableBytes > verify.RepairedBytes => Quantity.Verify(verify),
        _ => "-",
    };
}
