using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux.Epoll;

/// <summary>
/// Sockets by the number that epoll tells. A number is given out again only after its socket has left the set, and never
/// between a wait and what is done with its events.
/// </summary>
internal sealed class SocketTable
{
    private readonly List<LoopSocket?> _sockets = [];
    private readonly Stack<int> _free = new();

    public int Add(LoopSocket socket)
    {
        if (_free.TryPop(out int slot))
        {
            _sockets[slot] = socket;
            return slot;
        }

        _sockets.Add(socket);
        return _sockets.Count - 1;
    }

    public LoopSocket? Find(ulong slot) => slot < (ulong)_sockets.Count ? _sockets[(int)slot] : null;

    public void Remove(int slot)
    {
        _sockets[slot] = null;
        _free.Push(slot);
    }

    /// <summary>Those that are there.</summary>
    public IEnumerable<LoopSocket> All => _sockets.OfType<LoopSocket>();
}
