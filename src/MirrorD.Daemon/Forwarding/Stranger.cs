using System.Net;

namespace MirrorD.Daemon.Forwarding;

/// <summary>A connection that has not shown yet who it is.</summary>
internal sealed class Stranger : IDisposable
{
    private readonly CancellationTokenSource _end;

    /// <param name="from">Where it comes from.</param>
    /// <param name="limit">So long it may stay.</param>
    /// <param name="stop">Ends it earlier.</param>
    public Stranger(IPAddress from, TimeSpan limit, CancellationToken stop)
    {
        From = from;
        _end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _end.CancelAfter(limit);
        Ended = _end.Token;
    }

    /// <summary>Where it comes from.</summary>
    public IPAddress From { get; }

    /// <summary>Its time is over, or it was pushed out.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Another one got its place.</summary>
    public bool IsPushedOut { get; private set; }

    /// <summary>Ends it, without waiting for what that sets off. Not after <see cref="Dispose"/>.</summary>
    public void PushOut()
    {
        IsPushedOut = true;
        _ = _end.CancelAsync();
    }

    public void Dispose() => _end.Dispose();
}
