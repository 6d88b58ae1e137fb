using FsCheck;
using FsCheck.Fluent;
using MirrorD.Core.Replication;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// Whoever overlaps nobody who came before him holds his range, everybody else waits: that says all there is
/// to say about the order, and is checked after each operation.
/// </summary>
public class RangeLocksPropertyTests
{
    private sealed record Operation(
        bool Acquires, int Volume, int Offset, int Length, int Pick, bool TakesWaiting);

    [Fact]
    public void Whoever_overlaps_nobody_before_him_holds_his_range_and_all_others_wait()
    {
        Gen<Operation> operation =
            from acquires in Gen.Frequency((3, Gen.Constant(true)), (2, Gen.Constant(false)))
            from volume in Gen.Choose(0, 1)
            from offset in Gen.Choose(0, 15)
            from length in Gen.Frequency((3, Gen.Choose(1, 3)), (1, Gen.Choose(4, 16)))
            from pick in Gen.Choose(0, 1000)
            from takes in Gen.Frequency((30, Gen.Constant(false)), (1, Gen.Constant(true)))
            select new Operation(acquires, volume, offset, length, pick, takes);
        Prop.ForAll(operation.ListOf().ToArbitrary(), Check)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(120));
    }

    private static void Check(IEnumerable<Operation> operations)
    {
        var locks = new RangeLocks();
        var present = new List<User>();
        foreach (Operation operation in operations)
        {
            if (operation.TakesWaiting)
            {
                TakeWaiting(locks, present);
            }
            else if (operation.Acquires)
            {
                var user = new User(operation.Volume, operation.Offset, operation.Length);
                user.Holds = locks.TryAcquire(user);
                present.Add(user);
            }
            else
            {
                Release(locks, present, operation.Pick);
            }

            Compare(locks, present);
        }

        while (present.Count > 0)
        {
            Release(locks, present, 0);
            Compare(locks, present);
        }
    }

    private static void TakeWaiting(RangeLocks locks, List<User> present)
    {
        var taken = new List<IRangeUser>();
        locks.TakeWaiting(taken);
        Assert.Equal(present.Where(u => !u.Holds), taken);
        present.RemoveAll(u => !u.Holds);
    }

    private static void Release(RangeLocks locks, List<User> present, int pick)
    {
        List<User> holders = present.FindAll(u => u.Holds);
        Assert.True(holders.Count > 0 || present.Count == 0, "somebody waits and nobody holds");
        if (holders.Count == 0)
        {
            return;
        }

        User leaving = holders[pick % holders.Count];
        var ready = new List<IRangeUser>();
        locks.Release(leaving, ready);
        present.Remove(leaving);
        Assert.Equal(present.FindAll(ready.Contains), ready);
        foreach (User user in ready.Cast<User>())
        {
            Assert.False(user.Holds);
            user.Holds = true;
        }
    }

    private static void Compare(RangeLocks locks, List<User> present)
    {
        Assert.Equal(present.Count(u => u.Holds), locks.HeldCount);
        Assert.Equal(present.Count(u => !u.Holds), locks.WaitingCount);
        for (int i = 0; i < present.Count; i++)
        {
            Assert.Equal(!present.Take(i).Any(present[i].Overlaps), present[i].Holds);
        }
    }

    private sealed class User(int volume, long offset, long lengthBytes) : IRangeUser
    {
        public bool Holds { get; set; }

        public int Volume => volume;

        public long Offset => offset;

        public long LengthBytes => lengthBytes;

        public bool Overlaps(User other) => volume == other.Volume
            && Bytes().Intersect(other.Bytes()).Any();

        private IEnumerable<int> Bytes() => Enumerable.Range((int)offset, (int)lengthBytes);
    }
}
