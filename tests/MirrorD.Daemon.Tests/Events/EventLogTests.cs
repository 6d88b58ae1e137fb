using MirrorD.Api;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Storage;

namespace MirrorD.Daemon.Tests.Events;

public sealed class EventLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string File => _directory.At("events.jsonl");

    [Fact]
    public async Task Events_and_their_numbers_survive_a_restart()
    {
        await using (EventLog first = Open())
        {
            first.Add(null, "started", "The daemon started.");
            first.Add("mail", "promoted", "Promoted.");
        }

        await using EventLog second = Open();
        EventReport third = second.Add("mail", "demoted", "Demoted.");

        Assert.Equal(3, third.Sequence);
        Assert.Equal(
            ["started", "promoted", "demoted"], second.After(0).Events.Select(happened => happened.Kind));
        Assert.Equal(["demoted"], second.After(2).Events.Select(happened => happened.Kind));
    }

    [Fact]
    public async Task A_torn_last_line_is_left_out_and_does_not_spoil_the_next()
    {
        await using (EventLog first = Open())
        {
            first.Add(null, "one", "One.");
        }

        System.IO.File.AppendAllText(File, "{\"sequence\":2,\"at\":\"20");
        await using (EventLog second = Open())
        {
            second.Add(null, "two", "Two.");
        }

        await using EventLog third = Open();
        Assert.Equal(["one", "two"], third.After(0).Events.Select(happened => happened.Kind));
    }

    [Fact]
    public async Task A_reader_is_woken_by_the_next_event()
    {
        await using EventLog log = Open();
        (IReadOnlyList<EventReport> events, Task next) = log.After(0);
        Assert.Empty(events);
        Assert.False(next.IsCompleted);

        log.Add(null, "one", "One.");

        await Within.Deadline(next, "the reader to be woken");
        Assert.Single(log.After(0).Events);
    }

    [Theory]
    [InlineData("takeover", "takeover")]
    [InlineData("path-lost", "anomaly")]
    [InlineData("right-lost", "release")]
    [InlineData("address-conflict", "alarm")]
    [InlineData("nobody-knows-this", "info")]
    public async Task An_event_gets_the_class_of_its_kind(string kind, string expected)
    {
        await using EventLog log = Open();

        Assert.Equal(expected, log.Add("mail", kind, "M.").Class);
    }

    [Fact]
    public async Task Events_of_a_version_without_classes_are_read_as_info()
    {
        System.IO.File.WriteAllText(File, """
            {"sequence":7,"at":"2026-01-31T12:00:00Z","kind":"takeover","message":"M."}

            """);

        await using EventLog log = Open();

        Assert.Equal(7, log.LastSequence);
        Assert.Equal("info", Assert.Single(log.After(0).Events).Class);
    }

    [Fact]
    public async Task The_last_time_of_something_is_known()
    {
        await using EventLog log = Open();
        log.Add("mail", "outdated", "M.");
        DateTimeOffset second = log.Add("mail", "outdated", "M.").At;
        log.Add("web", "outdated", "M.");
        log.Add("mail", "handshake", "M.");

        Assert.Equal(second, log.LastTime("mail", "outdated", endedBy: "joined"));
        Assert.Null(log.LastTime("mail", "takeover", endedBy: "joined"));

        log.Add("mail", "joined", "M.");

        Assert.Null(log.LastTime("mail", "outdated", endedBy: "joined"));
    }

    [Fact]
    public void A_full_file_is_put_aside_and_only_one_older_is_kept()
    {
        var file = new JsonLinesFile<EventReport>(File, 1000, ApiJson.Compact.EventReport);
        for (int i = 1; i <= 100; i++)
        {
            file.Append(
                [
                    new EventReport
                    {
                        Sequence = i,
                        At = DateTimeOffset.UnixEpoch,
                        Kind = "k",
                        Message = "A message.",
                    },
                ]);
        }

        Assert.True(new FileInfo(File + ".1").Length < 1200);
        Assert.Equal(2, Directory.GetFiles(_directory.Root).Length);
        Assert.Equal([98, 99, 100], file.ReadLast(3).Select(happened => happened.Sequence));
    }

    public void Dispose() => _directory.Dispose();

    private EventLog Open() => new(File, failed => Assert.Fail(failed.ToString()));
}
