using System.Globalization;
using MirrorD.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace MirrorD.Control.Output;

/// <summary>Rates and times of volumes: a table for a person, columns for a program.</summary>
internal static class LoadTable
{
    /// <summary>For a person at a terminal.</summary>
    public static void Write(IReadOnlyList<VolumeRateReport> volumes, CommandContext context) =>
        StatusTable.ConsoleFor(context).Write(Render(volumes));

    /// <summary>Shows each sample in the place of the one before, until they end.</summary>
    public static Task Watch(IAsyncEnumerable<IReadOnlyList<VolumeRateReport>> samples, CommandContext context) =>
        StatusTable.ConsoleFor(context).Live(new Text("")).StartAsync(async live =>
        {
            await foreach (IReadOnlyList<VolumeRateReport> volumes in samples)
            {
                live.UpdateTarget(Render(volumes));
            }
        });

    private static Rows Render(IReadOnlyList<VolumeRateReport> volumes)
    {
        var parts = new List<IRenderable>();
        foreach (VolumeRateReport volume in volumes)
        {
            string resync = volume.ResyncSecondsLeft is { } left ? $", resync {Quantity.Seconds(left)} left" : "";
            parts.Add(new Text($"{volume.Resource}/{volume.Volume}: {volume.Role}, {volume.InWork} in work, " +
                $"{Quantity.Bytes(volume.AheadBytes)} at risk, {Quantity.Milliseconds(volume.AheadMs ?? 0)} behind{resync}"));
            parts.Add(Operations(volume));
        }

        return new Rows(parts);
    }

    /// <summary>A line of titles, then one for each kind of requests of each volume.</summary>
    public static void WriteColumns(IReadOnlyList<VolumeRateReport> volumes, TextWriter output)
    {
        output.WriteLine(
            "RESOURCE VOLUME ROLE OPERATION PER-SECOND BYTES-PER-SECOND IN-WORK AHEAD-BYTES AHEAD-MS RESYNC-LEFT-S "
            + string.Join(' ', LoadStage.All.Select(stage => stage.ToUpperInvariant().Replace('_', '-')).Select(
                stage => $"{stage}-P50-US {stage}-P99-US")));
        foreach (VolumeRateReport volume in volumes)
        {
            foreach (OperationRateReport operation in volume.Operations)
            {
                output.WriteLine($"{volume.Resource} {volume.Volume} {volume.Role} {operation.Operation} "
                    + $"{Known((long)operation.PerSecond)} {Known((long)operation.BytesPerSecond)} {Known(volume.InWork)} "
                    + $"{Known(volume.AheadBytes)} {Known(volume.AheadMs)} {Known(volume.ResyncSecondsLeft)} "
                    + string.Join(' ', LoadStage.All.Select(stage => Of(operation, stage) is { } found
                        ? $"{Known(found.P50Microseconds)} {Known(found.P99Microseconds)}" : "- -")));
            }
        }
    }

    private static Table Operations(VolumeRateReport volume)
    {
        var table = new Table().RoundedBorder();
        table.AddColumn("half, and 99 of 100, within");
        foreach (OperationRateReport operation in volume.Operations)
        {
            table.AddColumn(new TableColumn(operation.Operation).RightAligned().NoWrap());
        }

        Row("each second", operation => operation.PerSecond.ToString("0", CultureInfo.InvariantCulture));
        Row("bytes each second", operation => Quantity.Bytes((long)operation.BytesPerSecond));
        foreach (string stage in LoadStage.All)
        {
            Row(stage.Replace('_', ' '), operation => Of(operation, stage) is { } found
                ? $"{Quantity.Microseconds(found.P50Microseconds)} {Quantity.Microseconds(found.P99Microseconds),7}" : "");
        }

        return table;

        void Row(string title, Func<OperationRateReport, string> cell) =>
            table.AddRow([title, .. volume.Operations.Select(cell)]);
    }

    private static StageQuantilesReport? Of(OperationRateReport operation, string stage) =>
        operation.Stages.FirstOrDefault(each => each.Stage == stage);

    private static string Known(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "-";
}
