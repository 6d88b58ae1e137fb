using MirrorD.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MirrorD.Control.Output;

/// <summary>Status for a person at a terminal.</summary>
internal static class StatusTable
{
    public static void Write(StatusReport report, CommandContext context, bool wide) =>
        ConsoleFor(context).Write(Render(report, wide));

    /// <summary>Shows each report in the place of the one before, until they end.</summary>
    public static Task Watch(
        IAsyncEnumerable<StatusReport> reports, CommandContext context, bool wide) =>
        ConsoleFor(context).Live(new Text("")).StartAsync(async live =>
        {
            await foreach (StatusReport report in reports)
            {
                live.UpdateTarget(Render(report, wide));
            }
        });

    /// <summary>The terminal of a command.</summary>
    public static IAnsiConsole ConsoleFor(CommandContext context) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(context.Out) });

    private static Rows Render(StatusReport report, bool wide)
    {
        var parts = new List<IRenderable> { Overview(report) };
        parts.AddRange(Paths(report, wide));
        foreach (ResourceReport resource in report.Resources)
        {
            parts.AddRange(Details(resource));
        }

        return new Rows(parts);
    }

    private static Table Overview(StatusReport report)
    {
        var table = new Table().RoundedBorder().Title($"node [bold]{Markup.Escape(report.Node)}[/]");
        foreach (string title in (string[])["resource", "health", "role", "disk", "link", "peer", "not " +
            "mirrored"])
        {
            table.AddColumn(title);
        }

        foreach (ResourceReport resource in report.Resources)
        {
            string peer = $"{resource.Peer}: {resource.PeerRole ?? "?"}, {resource.PeerDiskState ?? "?"}";
            table.AddRow(
                $"[bold]{Markup.Escape(resource.Name)}[/]",
                $"[{Colour(resource.Health)}]{resource.Health}[/]",
                Markup.Escape(resource.Role),
                Markup.Escape(resource.DiskState),
                Markup.Escape(resource.Link),
                Markup.Escape(peer),
                Quantity.Bytes(resource.Volumes.Sum(volume => volume.DirtyBytes)));
        }

        return table;
    }

    /// <summary>Networks that are not as they should be; all of them when wide.</summary>
    private static IEnumerable<IRenderable> Paths(StatusReport report, bool wide)
    {
        foreach (PathReport path in report.Paths.Where(path => wide || path.State != PathState.Up))
        {
            string heard = path.LastHeardMs is { } ms ? $", last heard {Quantity.Milliseconds(ms)} ago" : "";
            yield return new Text(
                $"{path.Kind} network {path.Network} to {path.Peer}: {path.State} since " +
                $"{path.Since.ToLocalTime():HH:mm:ss}{heard}",
                new Style(path.State == PathState.Up ? Color.Default : Color.Yellow));
        }
    }

    private static IEnumerable<IRenderable> Details(ResourceReport resource)
    {
        if (resource.Resync is { } resync)
        {
            string direction = resource.Link == "SyncTarget" ? "from" : "to";
            yield return new Text(
                $"{resource.Name}: resync {direction} {resource.Peer}: {Quantity.Progress(resync)}");
            yield return Bar(resync);
        }

        if (resource.Verify is { } verify)
        {
            bool isBad = verify.DifferentBytes + verify.UnreadableBytes > verify.RepairedBytes;
            yield return new Text(
                $"{resource.Name}: {Quantity.Verify(verify)}", new Style(isBad ? Color.Red : Color.Default));
            foreach (VerifyFindingReport finding in verify.Findings)
            {
                yield return new Text($"{resource.Name}/{finding.Volume}: {finding.LengthBytes} bytes at {finding.Offset} " +
                    $"{finding.Kind}{(finding.Repaired ? ", repaired" : "")}");
            }
        }

        if (resource.NextVerifyAt is { } next)
        {
            yield return new Text($"{resource.Name}: the next verify is due {next.ToLocalTime():ddd yyyy-MM-dd HH:mm}");
        }

        if (resource.Mode != "sync")
        {
            yield return new Text($"{resource.Name}: mode {resource.Mode}; {AtRisk(resource)}");
        }

        if (resource.Step is { } step)
        {
            yield return new Text($"{resource.Name}: {step}");
        }

        if (resource.HoldUp is { } holdUp)
        {
            yield return new Text(
                $"{resource.Name}: {holdUp.State} since {holdUp.Since.ToLocalTime():HH:mm:ss}: " +
                $"{holdUp.Reason}",
                new Style(Color.Yellow));
            yield return new Text(
                $"{resource.Name}: waits for {holdUp.Owner}" +
                (holdUp.Remedy is { } remedy ? $"; {remedy}" : ""));
        }

        if (resource.AutoswitchNote is { } note)
        {
            yield return new Text($"{resource.Name}: {note}");
        }

        foreach (AddressReport address in resource.Addresses.Where(address => address.Held))
        {
            yield return new Text($"{resource.Name}: holds {address.Address} on {address.Interface}");
        }

        foreach (VolumeReport volume in resource.Volumes.Where(volume => volume.ExportSocket is not null))
        {
            yield return new Text(
                $"{resource.Name}/{volume.Name}: {Quantity.Bytes(volume.LengthBytes)} at " +
                $"{(volume.BlockDevice is { } device ? $"{device} and " : "")}{volume.ExportSocket}");
        }
    }

    private static string AtRisk(ResourceReport resource) => resource.AheadMs is { } ms
        ? $"{Quantity.Bytes(resource.AheadBytes)} answered that {resource.Peer} has not completed, the oldest " +
            $"{Quantity.Milliseconds(ms)} ago"
        : "nothing is at risk";

    private static BreakdownChart Bar(ResyncReport resync) => new BreakdownChart()
        .Width(60)
        .HideTags()
        .AddItem("done", Math.Max(0, resync.TotalBytes - resync.RemainingBytes), Color.Green)
        .AddItem("left", Math.Max(0, resync.RemainingBytes), Color.Grey);

    private static string Colour(string health) => health switch
    {
        ResourceHealth.Ok => "green",
        ResourceHealth.Syncing => "blue",
        ResourceHealth.Degraded => "yellow",
        _ => "red",
    };
}
