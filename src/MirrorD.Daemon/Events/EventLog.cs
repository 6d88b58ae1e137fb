using System.Threading.Channels;
using MirrorD.Api;

namespace MirrorD.Daemon.Events;

/// <summary>
/// Keeps what happened: the last events in memory, all of them in a file that a task of its own writes, so
/// that a slow disk never holds up who raises one. Readers wait for the next without polling.
/// </summary>
internal sealed class EventLog : IAsyncDisposable
{
    /// <summary>Events kept in memory and shown by the API.</summary>
    public const int Kept = 1000;

    private const long FullFileBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<EventReport> _last = new();
    private readonly Channel<EventReport> _unwritten = Channel.CreateBounded<EventReport>(
        new BoundedChannelOptions(10 * Kept)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        });
    private readonly EventFile _file;
    private readonly Action<Exception> _writeFailed;
    private readonly Task _writing;
    private long _sequence;
    private TaskCompletionSource _next = NewSignal();

    /// <summary>Opens the log.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="writeFailed">Told when events can't be stored; once until they can again.</param>
    public EventLog(string path, Action<Exception> writeFailed)
    {
        _file = new EventFile(path, FullFileBytes);
        _writeFailed = writeFailed;
        try
        {
            foreach (EventReport earlier in _file.ReadLast(Kept))
            {
                _last.Enqueue(earlier);
                _sequence = Math.Max(_sequence, earlier.Sequence);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            writeFailed(failed);
        }

        _writing = Task.Run(Write);
    }

    /// <summary>Adds an event; never blocks on storage.</summary>
    public EventReport Add(string? resource, string kind, string message)
    {
        EventReport happened;
        TaskCompletionSource waiting;
        lock (_gate)
        {
            happened = new EventReport
            {
                Sequence = ++_sequence,
                At = DateTimeOffset.UtcNow,
                Resource = resource,
                Kind = kind,
                Message = message,
            };
            _last.Enqueue(happened);
            if (_last.Count > Kept)
            {
                _last.Dequeue();
            }

            _unwritten.Writer.TryWrite(happened);
            waiting = _next;
            _next = NewSignal();
        }

        waiting.SetResult();
        return happened;
    }

    /// <summary>
    /// Events in memory after a sequence number, oldest first, and a task that ends with the next one.
    /// </summary>
    public (IReadOnlyList<EventReport> Events, Task Next) After(long sequence)
    {
        lock (_gate)
        {
            return ([.. _last.Where(happened => happened.Sequence > sequence)], _next.Task);
        }
    }

    /// <summary>Stores what was added so far and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _unwritten.Writer.TryComplete();
        await _writing;
    }

    private static TaskCompletionSource NewSignal() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task Write()
    {
        bool told = false;
        while (await _unwritten.Reader.WaitToReadAsync())
        {
            var batch = new List<EventReport>();
            while (_unwritten.Reader.TryRead(out EventReport? happened))
            {
                batch.Add(happened);
            }

            try
            {
                _file.Append(batch);
                told = false;
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                if (!told)
                {
                    _writeFailed(failed);
                }

                told = true;
            }
        }
    }
}
