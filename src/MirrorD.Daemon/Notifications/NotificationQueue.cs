using System.Threading.Channels;

namespace MirrorD.Daemon.Notifications;

/// <summary>
/// Sends one notification after the other, from a task of its own; when too many wait, the oldest is dropped.
/// </summary>
internal sealed class NotificationQueue : IAsyncDisposable
{
    /// <summary>How many wait at most.</summary>
    public const int Most = 100;

    /// <summary>What those that wait have when mirrord ends; the one that is under way is killed then.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly Func<Notification, CancellationToken, Task<string?>> _send;
    private readonly Action<string?> _ended;
    private readonly Channel<Waiting> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sending;
    private long _dropped;

    /// <summary>Begins to send.</summary>
    /// <param name="send">Sends one; returns what went wrong. Must have a deadline of its own.</param>
    /// <param name="ended">Told after each one what went wrong; null when nothing.</param>
    public NotificationQueue(
        Func<Notification, CancellationToken, Task<string?>> send, Action<string?> ended)
    {
        _send = send;
        _ended = ended;
        _queue = Channel.CreateBounded<Waiting>(
            new BoundedChannelOptions(Most)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
            },
            Drop);
        _sending = Task.Run(SendAll);
    }

    /// <summary>Puts one at the end; never blocks.</summary>
    /// <returns>What went wrong, once it was sent or dropped.</returns>
    public Task<string?> Add(Notification told)
    {
        var waiting = new Waiting(
            told, new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_queue.Writer.TryWrite(waiting))
        {
            waiting.Ended.SetResult("was not sent, as mirrord stops");
        }

        return waiting.Ended.Task;
    }

    /// <summary>Takes no more, and gives those that wait some seconds to go out.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (await Task.WhenAny(_sending, Task.Delay(Grace)) != _sending)
        {
            await _stop.CancelAsync();
        }

        await _sending;
        _stop.Dispose();
    }

    private void Drop(Waiting oldest)
    {
        Interlocked.Increment(ref _dropped);
        oldest.Ended.SetResult($"was dropped, as {Most} wait");
    }

    private async Task SendAll()
    {
        await foreach (Waiting next in _queue.Reader.ReadAllAsync())
        {
            long dropped = Interlocked.Exchange(ref _dropped, 0);
            string? failure = await Send(next.Told with { DroppedBefore = dropped });
            if (failure is not null)
            {
                // Nobody has read of them.
                Interlocked.Add(ref _dropped, dropped);
            }

            _ended(failure);
            next.Ended.SetResult(failure);
        }
    }

    private async Task<string?> Send(Notification told)
    {
        try
        {
            return await _send(told, _stop.Token);
        }
        catch (Exception failed)
        {
            // A fault with one must not keep the next ones from going out.
            return $"failed: {failed.Message}";
        }
    }

    private sealed record Waiting(Notification Told, TaskCompletionSource<string?> Ended);
}
