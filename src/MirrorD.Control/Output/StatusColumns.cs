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
        "RESOURCE", "HEALTH", "ROLE", "DISK", "LINK", "PEER", "PEER-ROLE", "PEER-DISK", "DIRTY-BYTES", "NOTE",
    ];

    public static void Write(StatusReport report, TextWriter output)
    {
        var rows = new List<string[]> { s_titles };
        rows.AddRange(report.Resources.Select(Row));
        int[] widths =
        [
            .. Enumerable.Range(0, s_titles.Length - 1).Select(i => rows.Max(row => row[i].Length)),
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
        Note(resource),
    ];

    private static string Note(ResourceReport resource) => resource switch
    {
        { HoldUp: { } holdUp } => holdUp.State,
        { Resync: { } resync } => "resync " + Quantity.Progress(resync),
        { Step: { } step } => step,
        _ => "-",
    };
}
