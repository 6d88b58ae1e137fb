using MirrorD.Engine.Link;
using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// Where clients wait that have not shown who they are: so many at most, each for a bounded time and in bounded
/// memory. When all places are taken, one more gets that of the oldest one from the address that has most. On the loop's
/// thread only.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="security">Says who a client is.</param>
/// <param name="options">Limits.</param>
/// <param name="report">Told who is turned away: each cause once in a while, since strangers can think of many.</param>
/// <param name="admitted">Gets those that are known.</param>
/// <param name="left">Called when one place has become free, and nothing of whoever had it is left.</param>
internal sealed class NbdGate(
    IIoLoop loop, ILinkSecurity security, NbdServerOptions options, Action<NbdEvent> report, Action<NbdAdmission> admitted,
    Action left) : IDisposable
{
    private readonly List<NbdStranger> _strangers = [];
    private readonly Stack<NbdGateMemory> _freeMemory = new();
    private readonly ToldOnce _told = new(SessionLimits.ToldCauses);
    private readonly Pace _pace = new(SessionLimits.StrangerIntervalNs, SessionLimits.StrangerBurst);

    /// <summary>Connections of which something is left.</summary>
    public int Count => _strangers.Count;

    /// <summary>Gives a connection a place.</summary>
    /// <returns>Time in nanoseconds until the next one may be taken up; 0: at once.</returns>
    public long Enter(IConnection connection)
    {
        NbdStranger[] staying = [.. _strangers.Where(each => !each.IsEnding)];
        if (staying.Length >= options.MaxStrangers)
        {
            staying.GroupBy(each => each.Network).MaxBy(those => those.Count())!.First()
                .Refuse(NbdEventKind.Refused, "too many connections at once that have not shown who they are");
        }

        NbdGateMemory memory = _freeMemory.TryPop(out NbdGateMemory? used) ? used : new NbdGateMemory();
        var stranger = new NbdStranger(this, loop, connection, security.Begin(isConnector: false), memory);
        _strangers.Add(stranger);
        stranger.Start(loop.NowNs + options.StrangerTimeoutNs);
        return _pace.Count(loop.NowNs);
    }

    /// <summary>Ends all of them.</summary>
    public void Close()
    {
        foreach (NbdStranger stranger in _strangers.ToArray())
        {
            stranger.Close();
        }
    }

    /// <summary>One is known from now on.</summary>
    public void Admit(NbdAdmission admission) => admitted(admission);

    /// <summary>Tells a cause, unless it was told not long ago.</summary>
    public void Tell(NbdEventKind kind, string client, string cause)
    {
        if (_told.IsNew(cause, loop.NowNs))
        {
            report(new NbdEvent(kind, client, "", cause));
        }
    }

    /// <summary>Nothing is left of one.</summary>
    public void Forget(NbdStranger stranger, NbdGateMemory memory)
    {
        _strangers.Remove(stranger);
        _freeMemory.Push(memory);
        left();
    }

    /// <summary>Frees the memory; nobody is left.</summary>
    public void Dispose()
    {
        while (_freeMemory.TryPop(out NbdGateMemory? memory))
        {
            memory.Dispose();
        }
    }
}
