using FsCheck;
using FsCheck.Fluent;
using MirrorD.Core.Replication;

namespace MirrorD.Core.Tests.Replication;

public class ReceivedSequencesTests
{
    private readonly ReceivedSequences _sequences = new();

    [Fact]
    public void Sequences_arrive_one_after_the_other_from_one()
    {
        Assert.False(_sequences.TryReceive(0));
        Assert.False(_sequences.TryReceive(2));
        Assert.True(_sequences.TryReceive(1));
        Assert.False(_sequences.TryReceive(1));
        Assert.False(_sequences.TryReceive(3));
        Assert.True(_sequences.TryReceive(2));
        Assert.Equal(2, _sequences.Received);
    }

    [Fact]
    public void The_prefix_stops_before_the_first_write_that_has_not_completed()
    {
        Receive(3);
        _sequences.Completed(3);
        _sequences.Completed(2);
        Assert.Equal(0, _sequences.Prefix);
        Assert.Equal(1, _sequences.InFlight);
        _sequences.Completed(1);
        Assert.Equal(3, _sequences.Prefix);
        Assert.Equal(0, _sequences.InFlight);
    }

    [Fact]
    public void A_write_completes_once_and_only_after_it_was_received()
    {
        Receive(2);
        Assert.Throws<InvariantViolation>(() => _sequences.Completed(3));
        _sequences.Completed(2);
        Assert.Throws<InvariantViolation>(() => _sequences.Completed(2));
        _sequences.Completed(1);
        Assert.Throws<InvariantViolation>(() => _sequences.Completed(1));
    }

    [Fact]
    public void A_new_connection_begins_at_nothing()
    {
        Receive(3);
        _sequences.Completed(1);
        _sequences.Completed(3);
        _sequences.Forget();
        Assert.Equal(0, _sequences.Prefix);
        Receive(2);
        _sequences.Completed(1);
        Assert.Equal(1, _sequences.Prefix);
        Assert.Equal(1, _sequences.InFlight);
    }

    [Fact]
    public void In_whatever_order_writes_complete_the_prefix_covers_exactly_the_unbroken_run()
    {
        Gen<List<int>> picks = Gen.Choose(0, 1000).ListOf().Select(list => list.ToList());
        Prop.ForAll(picks.ToArbitrary(), Check)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(200));
    }

    /// <summary>
    /// Two picks of three receive the next one, the others complete one of those in flight.
    /// </summary>
    private static void Check(List<int> picks)
    {
        var sequences = new ReceivedSequences();
        var inFlight = new List<long>();
        long received = 0;
        foreach (int pick in picks)
        {
            if (pick % 3 != 0 || inFlight.Count == 0)
            {
                Assert.True(sequences.TryReceive(++received));
                inFlight.Add(received);
            }
            else
            {
                long done = inFlight[pick % inFlight.Count];
                inFlight.Remove(done);
                sequences.Completed(done);
            }

            Assert.Equal(inFlight.Count == 0 ? received : inFlight.Min() - 1, sequences.Prefix);
            Assert.Equal(inFlight.Count, sequences.InFlight);
        }
    }

    private void Receive(int count)
    {
        for (int sequence = 1; sequence <= count; sequence++)
        {
            Assert.True(_sequences.TryReceive(sequence));
        }
    }
}
