using MirrorD.Core.Failover;

namespace MirrorD.Engine.Tests;

/// <summary>docs/internals/failover.md shows the table that decides.</summary>
public class FailoverPageTests
{
    [Fact]
    public void The_page_has_the_rows_of_a_primary() => AssertRows("A Primary without link:", FailoverTable.OfPrimary);

    [Fact]
    public void The_page_has_the_rows_of_a_standby() => AssertRows("A Standby without link:", FailoverTable.OfStandby);

    private static void AssertRows(string heading, IReadOnlyList<FailoverRow> rows)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root(), "docs", "internals", "failover.md"));
        string[] table =
        [
            .. lines.SkipWhile(line => line != heading).Skip(4).TakeWhile(line => line.StartsWith('|')),
        ];
        Assert.Equal(rows.Select(row => $"| {row.Case} | {row.Condition} | {row.Action} |"), table);
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MirrorD.sln")))
        {
            folder = folder.Parent;
        }

        return folder!.FullName;
    }
}
