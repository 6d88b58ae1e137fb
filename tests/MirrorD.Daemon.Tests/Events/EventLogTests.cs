using MirrorD.Api;
using MirrorD.Daemon.Events;

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

    [Fact]
    public void A_full_file_is_put_aside_and_only_one_older_is_kept()
    {
        var file = new EventFile(File, 1000);
        for (int i = 1; i <= 100; i++)
        {
            file.Append(
                [new EventReport { Sequence = i, At = DateTimeOffset.UnixEpoch, Kind = "k", Message = "A " +
                    "message." }]);
        }

        Assert.True(new FileInfo(File + ".1").Length < 1200);
        Assert.Equal(2, Directory.GetFiles(_directory.Root).Length);
        Assert.Equal([98, 99, 100], file.ReadLast(3).Select(happened => happened.Sequence));
    }

    public void Dispose() => _directory.Dispose();

    private EventLog Open() => new(File, failed => Assert.Fail(failed.ToString()));
}
