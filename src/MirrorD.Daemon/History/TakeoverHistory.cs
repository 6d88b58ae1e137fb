using MirrorD.Api;
using MirrorD.Daemon.Metrics;
using MirrorD.Daemon.Storage;

namespace MirrorD.Daemon.History;

/// <summary>Keeps how resources were taken over and given up: the last in memory, all in a file.</summary>
internal sealed class TakeoverHistory : IAsyncDisposable
{
    /// <summary>Records kept in memory and shown by the API.</summary>
    public const int Kept = 100;

    private static readonly string[] s_kinds =
    [
        TakeoverKind.Takeover, TakeoverKind.Promotion, TakeoverKind.Switchover, TakeoverKind.Release, TakeoverKind.Loss,
    ];

    private const long FullFileBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<TakeoverRecord> _last;
    private readonly Dictionary<(string Resource, string Kind, bool Succeeded), long> _counts = [];
    private readonly JsonLinesLog<TakeoverRecord> _stored;

    /// <summary>Opens the history.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="writeFailed">Told when records can't be stored; once until they can again.</param>
    public TakeoverHistory(string path, Action<Exception> writeFailed)
    {
        _stored = new JsonLinesLog<TakeoverRecord>(
            path, FullFileBytes, ApiJson.Compact.TakeoverRecord, Kept, writeFailed);
        _last = new Queue<TakeoverRecord>(_stored.Earlier);
    }

    /// <summary>Adds a record; never blocks on storage.</summary>
    public void Add(TakeoverRecord record)
    {
        lock (_gate)
        {
            (string, string, bool) counted = (record.Resource, record.Kind, record.Succeeded);
            _counts[counted] = _counts.GetValueOrDefault(counted) + 1;
            _last.Enqueue(record);
            if (_last.Count > Kept)
            {
                _last.Dequeue();
            }

            _stored.Add(record);
        }
    }

    /// <summary>Records in memory, oldest first.</summary>
    /// <param name="resource">Only this one's; null for all.</param>
    public IReadOnlyList<TakeoverRecord> Of(string? resource)
    {
        lock (_gate)
        {
            return [.. _last.Where(record => resource is null || record.Resource == resource)];
        }
    }

    /// <summary>How often each kind was added for a resource, also if never.</summary>
    public IReadOnlyList<RoleChangeCount> CountsOf(string resource)
    {
        lock (_gate)
        {
            return
            [
                .. from kind in s_kinds
                   from succeeded in (bool[])[true, false]
                   select new RoleChangeCount(
                       resource, kind, succeeded, _counts.GetValueOrDefault((resource, kind, succeeded))),
            ];
        }
    }

    /// <summary>Stores what was added so far and ends.</summary>
    public ValueTask DisposeAsync() => _stored.DisposeAsync();
}
