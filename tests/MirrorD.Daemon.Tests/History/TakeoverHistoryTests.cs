using MirrorD.Api;
using MirrorD.Control.Verbs;
using MirrorD.Daemon.History;

namespace MirrorD.Daemon.Tests.History;

public sealed class TakeoverHistoryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Records_survive_a_restart_and_a_torn_line()
    {
        string file = _directory.At("history.jsonl");
        await using (TakeoverHistory first = Open())
        {
            first.Add(Record("mail", 1));
            first.Add(Record("web", 2));
        }

        File.AppendAllText(file, "{\"at\":\"20");
        await using (TakeoverHistory second = Open())
        {
            second.Add(Record("mail", 3));
        }

        await using TakeoverHistory third = Open();
        Assert.Equal([1, 2, 3], third.Of(null).Select(record => record.TotalMs));
        Assert.Equal([1, 3], third.Of("mail").Select(record => record.TotalMs));
        Assert.Equal("address probe", third.Of("web")[0].Phases[1].Name);
    }

    [Fact]
    public async Task Only_the_last_ones_are_kept_in_memory()
    {
        await using TakeoverHistory history = Open();
        for (int i = 1; i <= TakeoverHistory.Kept + 5; i++)
        {
            history.Add(Record("mail", i));
        }

        Assert.Equal(TakeoverHistory.Kept, history.Of(null).Count);
        Assert.Equal(6, history.Of(null)[0].TotalMs);
    }

    [Fact]
    public void A_record_is_shown_with_its_phases()
    {
        var output = new StringWriter();

        HistoryVerb.Write(Record("mail", 312), output, TimeZoneInfo.Utc);
        HistoryVerb.Write(Record("mail", 5) with { Succeeded = false, Phases = [] }, output, TimeZoneInfo.Utc);

        Assert.Equal(
            """
            2026-01-31 12:00:00.250  mail          a         takeover    done        312 ms  all paths lost
                at       0 ms  took      12 ms  vetoes
                at      12 ms  took     300 ms  address probe
            2026-01-31 12:00:00.250  mail          a         takeover    failed        5 ms  all paths lost

            """.ReplaceLineEndings("\n"),
            output.ToString());
    }

    public void Dispose() => _directory.Dispose();

    internal static TakeoverRecord Record(string resource, long totalMs) => new()
    {
        At = new DateTimeOffset(2026, 1, 31, 12, 0, 0, 250, TimeSpan.Zero),
        Resource = resource,
        Node = "a",
        Kind = TakeoverKind.Takeover,
        Reason = "all paths lost",
        Succeeded = true,
        Phases =
        [
            new TakeoverPhase { Name = "vetoes", StartMs = 0, TookMs = 12 },
            new TakeoverPhase { Name = "address probe", StartMs = 12, TookMs = 300 },
        ],
        TotalMs = totalMs,
    };

    private TakeoverHistory Open() =>
        new(_directory.At("history.jsonl"), failed => Assert.Fail(failed.ToString()));
}
