namespace MirrorD.Daemon.Takeover;

/// <summary>
/// When a service address is announced: a burst after it was added or its way to the neighbours changed, then
/// now and again. Times are milliseconds of a monotonic clock.
/// </summary>
internal sealed class AnnouncementSchedule
{
    // Receivers ignore an update within a second of the last one, and a switch that has just got a carrier
    // forwards nothing for seconds: the burst outlasts both.
    private static readonly long[] s_burstMs = [0, 200, 1_300, 2_500, 5_000, 10_000];

    private const long RefreshMs = 60_000;

    private long _begunMs;
    private int _next;

    /// <summary>Begins now.</summary>
    public AnnouncementSchedule(long nowMs) => Begin(nowMs);

    /// <summary>When to announce next.</summary>
    public long DueMs { get; private set; }

    /// <summary>Begins anew.</summary>
    public void Begin(long nowMs)
    {
        _begunMs = nowMs;
        _next = 0;
        DueMs = nowMs;
    }

    /// <summary>
    /// True: it is to be announced now. Announcements that were missed, e.g. because the process was stopped,
    /// are not made up for.
    /// </summary>
    public bool TakeDue(long nowMs)
    {
        if (nowMs < DueMs)
        {
            return false;
        }

        do
        {
            _next++;
        }
        while (_next < s_burstMs.Length && _begunMs + s_burstMs[_next] <= nowMs);

        DueMs = _next < s_burstMs.Length ? _begunMs + s_burstMs[_next] : nowMs + RefreshMs;
        return true;
    }
}
