using MirrorD.Api;
using MirrorD.Daemon.Storage;

namespace MirrorD.Daemon.Events;

/// <summary>
/// Keeps what happened: the last events in memory, all of them in a file. Readers wait for the next without
/// polling.
/// </summary>
internal sealed class EventLog : IAsyncDisposable
{
    /// <summary>Events kept in memory and shown by the API.</summary>
    public const int Kept = 1000;

    private const long FullFileBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<EventReport> _last;
    private readonly JsonLinesLog<EventReport> _stored;
    private long _sequence;
    private TaskCompletionSource _next = NewSignal();

    /// <summary>Opens the log.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="writeFailed">Told when events can't be stored; once until they can again.</param>
    public EventLog(string path, Action<Exception> writeFailed)
    {
        _stored = new JsonLinesLog<EventReport>(
            path, FullFileBytes, ApiJson.Compact.EventReport, Kept, writeFailed);
        _last = new Queue<EventReport>(_stored.Earlier);
        _sequence = _last.Count == 0 ? 0 : _last.Max(earlier => earlier.Sequence);
    }

    /// <summary>Number of the last event; 0 when there was none.</summary>
    public long LastSequence
    {
        get
        {
            lock (_gate)
            {
                return _sequence;
            }
        }
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
                Class = EventClasses.Of(kind),
                Message = message,
            };
            _last.Enqueue(happened);
            if (_last.Count > Kept)
            {
                _last.Dequeue();
            }

            _stored.Add(happened);
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

    /// <summary>
    /// When something last happened to a resource that another kind of event has not ended since; null when
    /// no event in memory tells.
    /// </summary>
    public DateTimeOffset? LastTime(string resource, string kind, string endedBy)
    {
        lock (_gate)
        {
            EventReport? last = _last.LastOrDefault(happened =>
                happened.Resource == resource && (happened.Kind == kind || happened.Kind == endedBy));
            return last?.Kind == kind ? last.At : null;
        }
    }

    /// <summary>When the first event of a kind since the last of another kind happened; null when there is none.</summary>
    public DateTimeOffset? FirstTime(string resource, string kind, string endedBy)
    {
        lock (_gate)
        {
            DateTimeOffset? first = null;
            foreach (EventReport happened in _last.Where(happened => happened.Resource == resource))
            {
                first = happened.Kind == endedBy ? null : happened.Kind == kind ? first ?? happened.At : first;
            }

            return first;
        }
    }

    /// <summary>Stores what was added so far and ends.</summary>
    public ValueTask DisposeAsync() => _stored.DisposeAsync();

    private static TaskCompletionSource NewSignal() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
