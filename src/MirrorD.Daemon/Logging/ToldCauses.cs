namespace MirrorD.Daemon.Logging;

/// <summary>
/// Lets each cause through once within ten minutes, and only so many different ones: strangers can think of many. Any thread.
/// </summary>
internal sealed class ToldCauses(TimeProvider time)
{
    /// <summary>Different causes within the time.</summary>
    public const int Most = 16;

    /// <summary>Then all are forgotten.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromMinutes(10);

    private readonly HashSet<string> _told = new(Most, StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _since = time.GetTimestamp();

    /// <summary>True when the cause is to be told.</summary>
    public bool IsNew(string cause)
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_since) >= Within)
            {
                _since = time.GetTimestamp();
                _told.Clear();
            }

            return _told.Count < Most && _told.Add(cause);
        }
    }
}
