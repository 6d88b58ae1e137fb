namespace MirrorD.Daemon.Tests.Takeover;

/// <summary>Keeps events, to wait for them.</summary>
internal sealed class Happenings
{
    private readonly List<(string Kind, string Message)> _events = [];

    /// <summary>Called with each kind after it was noted, by the thread that tells it.</summary>
    public Action<string>? Told { get; set; }

    public IReadOnlyList<string> Kinds
    {
        get
        {
            lock (_events)
            {
                return [.. _events.Select(each => each.Kind)];
            }
        }
    }

    public void Add(string kind, string message)
    {
        lock (_events)
        {
            _events.Add((kind, message));
        }

        Told?.Invoke(kind);
    }

    public string[] All(string kind)
    {
        lock (_events)
        {
            return [.. _events.Where(each => each.Kind == kind).Select(each => each.Message)];
        }
    }

    public string Last(string kind) => All(kind)[^1];

    public Task WaitFor(string kind, int count = 1) =>
        Within.Until(() => Task.FromResult(All(kind).Length >= count), $"{count} events {kind}");
}
