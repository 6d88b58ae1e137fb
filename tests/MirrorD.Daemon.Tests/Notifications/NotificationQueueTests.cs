using MirrorD.Daemon.Notifications;

namespace MirrorD.Daemon.Tests.Notifications;

public class NotificationQueueTests
{
    private readonly List<Notification> _sent = [];
    private readonly SemaphoreSlim _mayGo = new(0);
    private readonly SemaphoreSlim _under = new(0);
    private int _atOnce;
    private int _mostAtOnce;

    [Fact]
    public async Task They_go_out_one_at_a_time_in_their_order()
    {
        var ended = new List<string?>();
        await using NotificationQueue queue = new(Send, ended.Add);
        Task<string?>[] all = [.. Enumerable.Range(1, 10).Select(i => queue.Add(Told(i)))];
        _mayGo.Release(10);

        await Within.Deadline(Task.WhenAll(all), "all to go out");

        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), _sent.Select(told => told.Event.Sequence));
        Assert.Equal(1, _mostAtOnce);
        Assert.Equal(10, ended.Count);
    }

    [Fact]
    public async Task When_too_many_wait_the_oldest_are_dropped_and_the_next_one_says_how_many()
    {
        await using NotificationQueue queue = new(Send, _ => { });
        Task<string?> first = queue.Add(Told(0));
        Assert.True(await _under.WaitAsync(TimeSpan.FromSeconds(20)), "the first one to be under way");
        Task<string?>[] all =
        [
            .. Enumerable.Range(1, NotificationQueue.Most + 7).Select(i => queue.Add(Told(i))),
        ];
        Assert.StartsWith("was dropped", await Within.Deadline(all[6], "the seventh to be dropped"));
        Assert.False(all[7].IsCompleted);
        _mayGo.Release(all.Length + 1);

        await Within.Deadline(Task.WhenAll(all), "all others to go out");

        Assert.Null(await first);
        Assert.Equal([0L, 8L, 9L], _sent.Select(told => told.Event.Sequence).Take(3));
        Assert.Equal([0, 7, 0], _sent.Select(told => told.DroppedBefore).Take(3));
    }

    [Fact]
    public async Task A_fault_with_one_does_not_keep_the_next_from_going_out()
    {
        int calls = 0;
        await using NotificationQueue queue = new(
            (_, _) => ++calls == 1
                ? throw new InvalidOperationException("bad")
                : Task.FromResult<string?>(null),
            _ => { });

        Assert.Equal("failed: bad", await Within.Deadline(queue.Add(Told(1)), "the first to fail"));
        Assert.Null(await Within.Deadline(queue.Add(Told(2)), "the second to go out"));
    }

    [Fact]
    public async Task After_the_end_nothing_is_taken()
    {
        NotificationQueue queue = new(Send, _ => { });
        await queue.DisposeAsync();

        Assert.Equal("was not sent, as mirrord stops", await queue.Add(Told(1)));
    }

    private static Notification Told(int sequence) =>
        new(MailTextTests.Event("M.") with { Sequence = sequence }, "a", null);

    private async Task<string?> Send(Notification told, CancellationToken stop)
    {
        _mostAtOnce = Math.Max(_mostAtOnce, Interlocked.Increment(ref _atOnce));
        _under.Release();
        await _mayGo.WaitAsync(stop);
        _sent.Add(told);
        Interlocked.Decrement(ref _atOnce);
        return null;
    }
}
