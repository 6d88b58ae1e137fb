using System.Runtime.InteropServices;

namespace MirrorD.Core.Replication;

/// <summary>Holds or waits for a range of one volume: a client's write or a resync copy.</summary>
public interface IRangeUser
{
    /// <summary>Volume number.</summary>
    int Volume { get; }

    /// <summary>First byte.</summary>
    long Offset { get; }

    /// <summary>Length in bytes.</summary>
    long LengthBytes { get; }
}

/// <summary>
/// Overlapping writes are serialised: a user that overlaps a holder, or somebody who waits already, waits
/// until they are done, in order of arrival. So both copies end with the same winner, and a resync copy never
/// lands over a newer write. Linear in the users (a few hundred at most).
/// </summary>
public sealed class RangeLocks
{
    private readonly List<IRangeUser> _held = new(256);
    private readonly List<IRangeUser> _waiting = new(256);

    /// <summary>Users that hold a range.</summary>
    public int HeldCount => _held.Count;

    /// <summary>Users that wait.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Takes the range, or queues the user; true when taken.</summary>
    public bool TryAcquire(IRangeUser user)
    {
        if (OverlapsAny(_held, user, _held.Count) || OverlapsAny(_waiting, user, _waiting.Count))
        {
            _waiting.Add(user);
            return false;
        }

        _held.Add(user);
        return true;
    }

    /// <summary>
    /// Releases a range; users that now hold theirs are added to <paramref name="ready"/> in order.
    /// </summary>
    public void Release(IRangeUser user, List<IRangeUser> ready)
    {
        int at = _held.IndexOf(user);
        Invariant.Require(at >= 0, "a range is released by its holder");
        _held[at] = _held[^1];
        _held.RemoveAt(_held.Count - 1);
        int kept = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            IRangeUser waiter = _waiting[i];
            if (OverlapsAny(_held, waiter, _held.Count) || OverlapsAny(_waiting, waiter, kept))
            {
                _waiting[kept++] = waiter;
            }
            else
            {
                _held.Add(waiter);
                ready.Add(waiter);
            }
        }

        _waiting.RemoveRange(kept, _waiting.Count - kept);
    }

    /// <summary>Removes all waiting users, in order, for a suspension of the write path.</summary>
    public void TakeWaiting(List<IRangeUser> taken)
    {
        taken.AddRange(_waiting);
        _waiting.Clear();
    }

    private static bool OverlapsAny(List<IRangeUser> users, IRangeUser user, int count)
    {
        foreach (IRangeUser other in CollectionsMarshal.AsSpan(users)[..count])
        {
            if (other.Volume == user.Volume && other.Offset < user.Offset + user.LengthBytes
                && user.Offset < other.Offset + other.LengthBytes)
            {
                return true;
            }
        }

        return false;
    }
}
