using FsCheck;
using FsCheck.Fluent;
using MirrorD.Core.Replication;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// The log against a model that knows only what must be protected: extents with something in flight, and
/// those whose last completion is not clean yet.
/// </summary>
public class ActivityLogPropertyTests
{
    private const int Capacity = 6;

    private enum Step
    {
        Enter, Leave, Clean, BeginStore, StoreDone, Clear,
    }

    private sealed record Operation(Step Step, int First, int Length, int Pick);

    private sealed record Entry(uint First, uint Last, long Ticket);

    [Fact]
    public void Any_sequence_of_operations_protects_what_is_in_flight_or_not_clean()
    {
        Gen<Operation> operation =
            from step in Gen.Frequency(
                (6, Gen.Constant(Step.Enter)), (5, Gen.Constant(Step.Leave)), (2, Gen.Constant(Step.Clean)),
                (3, Gen.Constant(Step.BeginStore)), (3, Gen.Constant(Step.StoreDone)),
                (1, Gen.Constant(Step.Clear)))
            from first in Gen.Choose(0, 11)
            from length in Gen.Frequency((4, Gen.Constant(1)), (1, Gen.Choose(2, Capacity)))
            from pick in Gen.Choose(0, 1000)
            select new Operation(step, first, length, pick);
        Prop.ForAll(operation.ListOf().ToArbitrary(), operations => new Model().Run(operations))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(120));
    }

    private sealed class Model
    {
        private readonly ActivityLog _log = new(Capacity);
        private readonly List<Entry> _inFlight = [];
        private readonly Dictionary<uint, long> _lastTouch = [];
        private HashSet<uint> _durable = [];
        private HashSet<uint> _running = [];
        private long _touch;

        public void Run(IEnumerable<Operation> operations)
        {
            foreach (Operation operation in operations)
            {
                Apply(operation);
                Assert.InRange(_log.Count, Protected().Count, Capacity);
                Assert.Equal(Capacity - Protected().Count, _log.Room);
                HashSet<uint> written = _log.IsStoring ? _running : _durable;
                Assert.True(_log.NeedsStore || _inFlight.All(e => Extents(e).All(written.Contains)),
                    "an extent in flight is in no transaction, and none is asked for");
            }
        }

        private void Apply(Operation operation)
        {
            switch (operation.Step)
            {
                case Step.Enter:
                    Enter((uint)operation.First, (uint)(operation.First + operation.Length - 1));
                    break;
                case Step.Leave when _inFlight.Count > 0:
                    Entry left = _inFlight[operation.Pick % _inFlight.Count];
                    _inFlight.Remove(left);
                    _log.Leave(left.First, left.Last, ++_touch);
                    foreach (uint extent in Extents(left))
                    {
                        _lastTouch[extent] = _touch;
                    }

                    break;
                case Step.Clean:
                    _log.CleanThrough = _touch;
                    break;
                case Step.BeginStore when !_log.IsStoring:
                    _running = [.. _log.BeginStore()];
                    Assert.False(_log.NeedsStore);
                    Assert.Equal(_log.Count, _running.Count);
                    Assert.True(_running.IsSupersetOf(Protected()), "a transaction lacks a protected extent");
                    break;
                case Step.StoreDone when _log.IsStoring:
                    _log.StoreDone();
                    _durable = _running;
                    break;
                case Step.Clear:
                    bool empty = _log.Clear();
                    Assert.Equal(Protected().Count, _log.Count);
                    Assert.Equal(_log.Count == 0, empty);
                    break;
            }

            foreach (Entry entry in _inFlight)
            {
                bool durable = entry.Ticket <= _log.DurableThrough;
                Assert.True(!durable || Extents(entry).All(_durable.Contains),
                    "a ticket counts as durable, and the transaction on disk lacks its extents");
                Assert.True(durable || _log.IsStoring || _log.NeedsStore, "a ticket waits for ever");
            }
        }

        private void Enter(uint first, uint last)
        {
            var entry = new Entry(first, last, 0);
            HashSet<uint> needed = Protected();
            needed.UnionWith(Extents(entry));
            ActivityEntry result = _log.Enter(first, last, out long ticket);
            Assert.Equal(needed.Count > Capacity, result == ActivityEntry.Full);
            if (result != ActivityEntry.Full)
            {
                Assert.Equal(ticket <= _log.DurableThrough, result == ActivityEntry.Active);
                _inFlight.Add(entry with { Ticket = ticket });
            }
        }

        private HashSet<uint> Protected()
        {
            HashSet<uint> extents = [.. _inFlight.SelectMany(Extents)];
            extents.UnionWith(_lastTouch.Where(t => t.Value > _log.CleanThrough).Select(t => t.Key));
            return extents;
        }

        private static IEnumerable<uint> Extents(Entry entry) =>
            Enumerable.Range((int)entry.First, (int)(entry.Last - entry.First + 1)).Select(e => (uint)e);
    }
}
