using MirrorD.Formats.Watch;

namespace MirrorD.Engine.Watch;

/// <summary>
/// Counts datagrams that can't be used. Anybody on a network can send them, so they cost a counter each and
/// at most one event a minute.
/// </summary>
internal sealed class GarbageCount
{
    /// <summary>Between two events.</summary>
    public const long EventNs = 60_000_000_000;

    private long _untold;
    private long _tellAtNs;
    private WatchFault _lastFault;
    private string _lastPath = "";

    /// <summary>Since the watch began.</summary>
    public long Total { get; private set; }

    public void Add(WatchFault fault, string path)
    {
        Total++;
        _untold++;
        _lastFault = fault;
        _lastPath = path;
    }

    /// <summary>What to tell now; null most of the time.</summary>
    public string? Tell(string peer, long nowNs)
    {
        if (_untold == 0 || nowNs < _tellAtNs)
        {
            return null;
        }

        string message = $"{_untold} datagrams where heartbeats of {peer} were expected could not be used; "
            + $"the last one, on {_lastPath}: {Describe(_lastFault)}.";
        _untold = 0;
        _tellAtNs = nowNs + EventNs;
        return message;
    }

    private static string Describe(WatchFault fault) => fault switch
    {
        WatchFault.None => "nothing is wrong",
        WatchFault.Length => "its length does not fit",
        WatchFault.Magic => "it is none of this protocol",
        WatchFault.Version => "it has another version: install the same release on both nodes",
        WatchFault.Mac => "its MAC does not fit: damaged, forged, or the nodes have different keys",
        WatchFault.Reserved => "reserved bytes are not zero",
        WatchFault.Type => "its type is unknown",
        WatchFault.Body => "it is malformed",
        WatchFault.Misdirected => "it belongs to another path or comes from this node itself: are the "
            + "networks of both nodes configured in the same order?",
    };
}
