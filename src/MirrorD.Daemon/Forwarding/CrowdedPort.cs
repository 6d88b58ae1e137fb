using System.Net;
using System.Net.Sockets;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// A port to which more connections come than are taken up: the kernel drops what comes from others than the nodes for a while.
/// What it does for each one that it lets in is most of what a flood costs, and one that was closed comes back at once.
/// </summary>
/// <param name="listener">Listens there; it outlives this.</param>
/// <param name="nodes">Addresses from which the nodes call.</param>
internal sealed class CrowdedPort(Socket listener, IReadOnlyList<IPAddress> nodes) : IAsyncDisposable
{
    /// <summary>So long, each time.</summary>
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Timer? _end;
    private bool _isShut;

    /// <summary>Too many have come; who was the last one.</summary>
    public void Noticed(IPAddress? from)
    {
        lock (_lock)
        {
            if (_isShut || (from is not null && nodes.Contains(from)))
            {
                return;
            }

            _isShut = CallerFilter.LetIn(listener.SafeHandle, nodes) == 0;
            if (_isShut)
            {
                _end ??= new Timer(_ => Open());
                _end.Change(Time, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Returns when the listener is not used any more.</summary>
    public ValueTask DisposeAsync() => _end?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Open()
    {
        lock (_lock)
        {
            _ = CallerFilter.LetAllIn(listener.SafeHandle);
            _isShut = false;
        }
    }
}
