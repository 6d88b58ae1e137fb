namespace MirrorD.Engine.Link;

/// <summary>
/// Lets each cause through once within ten minutes, and only so many different ones: strangers can think of many.
/// </summary>
/// <param name="most">Different causes within the time.</param>
internal sealed class ToldOnce(int most)
{
    private const long WithinNs = 600_000_000_000;

    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private long _againAtNs;

    /// <summary>True when the cause is to be told.</summary>
    public bool IsNew(string cause, long nowNs)
    {
        if (nowNs >= _againAtNs)
        {
            _againAtNs = nowNs + WithinNs;
            _told.Clear();
        }

        return _told.Count < most && _told.Add(cause);
    }

    /// <summary>All are told anew.</summary>
    public void Forget() => _told.Clear();
}
