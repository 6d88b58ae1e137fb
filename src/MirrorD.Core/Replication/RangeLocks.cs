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
/// lands over a newer write. Linear in the users: some hundred, in modes memory and async a few thousand.
/// </summary>
public sealed class RangeLocks
{
    private readonly Users _held = new();
    private readonly Users _waiting = new();

    /// <summary>Users that hold a range.</summary>
    public int HeldCount => _held.Count;

    /// <summary>Users that wait.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Takes the range, or queues the user; true when taken.</summary>
    public bool TryAcquire(IRangeUser user)
    {
        var range = new Range(user);
        bool isFree = !_held.Overlap(range, _held.Count) && !_waiting.Overlap(range, _waiting.Count);
        (isFree ? _held : _waiting).Add(user, range);
        return isFree;
    }

    /// <summary>
    /// Releases a range; users that now hold theirs are added to <paramref name="ready"/> in order.
    /// </summary>
    public void Release(IRangeUser user, List<IRangeUser> ready)
    {
        Range released = _held.RemoveAt(Holder(user));
        int kept = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            (IRangeUser waiter, Range range) = _waiting[i];

            // Only who waited for this one can go on.
            if (!range.Overlaps(released) || _held.Overlap(range, _held.Count) || _waiting.Overlap(range, kept))
            {
                _waiting.Move(i, kept++);
            }
            else
            {
                _held.Add(waiter, range);
                ready.Add(waiter);
            }
        }

        _waiting.Truncate(kept);
    }

    /// <summary>Another user holds the same range from now on in the place of a holder.</summary>
    public void HandOver(IRangeUser from, IRangeUser to) => _held.Replace(Holder(from), to);

    /// <summary>Removes all waiting users, in order, for a suspension of the write path.</summary>
    public void TakeWaiting(List<IRangeUser> taken)
    {
        _waiting.CopyTo(taken);
        _waiting.Truncate(0);
    }

    private int Holder(IRangeUser user)
    {
        int at = _held.IndexOf(user);
        Invariant.Require(at >= 0, "a range is released or handed over by its holder");
        return at;
    }

    private readonly record struct Range(int Volume, long Offset, long End)
    {
        public Range(IRangeUser user)
            : this(user.Volume, user.Offset, user.Offset + user.LengthBytes)
        {
        }

        public bool Overlaps(in Range other) =>
            other.Volume == Volume && other.Offset < End && Offset < other.End;
    }

    /// <summary>Users with their ranges side by side in memory: looking through thousands takes microseconds.</summary>
    private sealed class Users
    {
        private readonly List<IRangeUser> _users = new(256);
        private readonly List<Range> _ranges = new(256);

        public int Count => _users.Count;

        public (IRangeUser User, Range Range) this[int at] => (_users[at], _ranges[at]);

        public bool Overlap(in Range range, int count)
        {
            foreach (ref readonly Range other in CollectionsMarshal.AsSpan(_ranges)[..count])
            {
                if (other.Overlaps(range))
                {
                    return true;
                }
            }

            return false;
        }

        public int IndexOf(IRangeUser user)
        {
            ReadOnlySpan<IRangeUser> users = CollectionsMarshal.AsSpan(_users);
            for (int i = 0; i < users.Length; i++)
            {
                if (ReferenceEquals(users[i], user))
                {
                    return i;
                }
            }

            return -1;
        }

        public void Add(IRangeUser user, in Range range)
        {
            _users.Add(user);
            _ranges.Add(range);
        }

        /// <summary>The last one takes its place.</summary>
        public Range RemoveAt(int at)
        {
            Range removed = _ranges[at];
            _users[at] = _users[^1];
            _ranges[at] = _ranges[^1];
            Truncate(_users.Count - 1);
            return removed;
        }

        public void Replace(int at, IRangeUser user) => _users[at] = user;

        public void Move(int from, int to)
        {
            _users[to] = _users[from];
            _ranges[to] = _ranges[from];
        }

        public void Truncate(int count)
        {
            _users.RemoveRange(count, _users.Count - count);
            _ranges.RemoveRange(count, _ranges.Count - count);
        }

        public void CopyTo(List<IRangeUser> users) => users.AddRange(_users);
    }
}
