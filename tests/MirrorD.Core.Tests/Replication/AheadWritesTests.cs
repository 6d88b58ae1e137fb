using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;

namespace MirrorD.Core.Tests.Replication;

public class AheadWritesTests
{
    private readonly AheadWrites _ahead = new(limitBytes: 100, limitNs: 50, capacity: 3);

    [Fact]
    public void What_is_on_its_way_is_bounded_in_bytes()
    {
        _ahead.Admit(60);
        Assert.True(_ahead.HasRoom(40, 0));
        Assert.False(_ahead.HasRoom(41, 0));
        _ahead.Withdraw(60);
        Assert.Equal(0, _ahead.AdmittedBytes);
    }

    [Fact]
    public void A_mutation_larger_than_the_bound_goes_alone()
    {
        Assert.True(_ahead.HasRoom(1000, 0));
        _ahead.Admit(1000);
        Assert.False(_ahead.HasRoom(1, 0));
    }

    [Fact]
    public void What_is_on_its_way_is_bounded_in_number()
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.True(_ahead.HasRoom(1, 0));
            _ahead.Admit(1);
        }

        Assert.False(_ahead.HasRoom(1, 0));
    }

    [Fact]
    public void Nothing_more_is_admitted_while_the_oldest_answer_is_too_old()
    {
        Add(1, 10, nowNs: 100);
        Add(2, 10, nowNs: 140);
        Assert.True(_ahead.HasRoom(1, 150));
        Assert.False(_ahead.HasRoom(1, 151));
        Take(1);
        Assert.Equal(140, _ahead.Oldest!.SinceNs);
        Assert.True(_ahead.HasRoom(1, 151));
    }

    [Fact]
    public void They_are_taken_out_in_any_order_and_counted()
    {
        Add(1, 10, 1);
        Add(2, 20, 2);
        Add(3, 30, 3);
        Assert.Equal((3, 60L, 60L), (_ahead.Count, _ahead.Bytes, _ahead.AdmittedBytes));
        Take(2);
        Assert.Equal(1, _ahead.Oldest!.Sequence);
        Take(1);
        Assert.Equal(3, _ahead.Oldest!.Sequence);
        Take(3);
        Assert.Null(_ahead.Oldest);
        Assert.Equal((0, 0L, 0L), (_ahead.Count, _ahead.Bytes, _ahead.AdmittedBytes));
        Assert.Null(_ahead.Remove(3));
    }

    [Fact]
    public void One_too_many_is_not_remembered()
    {
        Add(1, 1, 1);
        Add(2, 1, 1);
        Add(3, 1, 1);
        Assert.Null(_ahead.TryAdd(Range(1), 4, false, 1));
        Take(2);
        Assert.NotNull(_ahead.TryAdd(Range(1), 4, false, 1));
    }

    [Fact]
    public void Overlaps_are_found_in_the_same_volume_only()
    {
        Add(1, 10, 1, offset: 100);
        Assert.True(_ahead.Overlaps(new VolumeRequest { Offset = 109, LengthBytes = 1 }, 1));
        Assert.True(_ahead.Overlaps(new VolumeRequest { Offset = 0, LengthBytes = 101 }, 1));
        Assert.False(_ahead.Overlaps(new VolumeRequest { Offset = 0, LengthBytes = 100 }, 1));
        Assert.False(_ahead.Overlaps(new VolumeRequest { Offset = 110, LengthBytes = 1 }, 1));
        Assert.False(_ahead.Overlaps(new VolumeRequest { Offset = 100, LengthBytes = 10, Volume = 1 }, 1));
        Assert.False(_ahead.Overlaps(new VolumeRequest { Offset = 100, LengthBytes = 10 }, 0));
    }

    private static VolumeRequest Range(long lengthBytes, long offset = 0) =>
        new() { Offset = offset, LengthBytes = lengthBytes };

    private void Add(long sequence, long lengthBytes, long nowNs, long offset = 0)
    {
        _ahead.Admit(lengthBytes);
        Assert.NotNull(_ahead.TryAdd(Range(lengthBytes, offset), sequence, isAdmitted: true, nowNs));
    }

    private void Take(long sequence)
    {
        AheadWrite? write = _ahead.Remove(sequence);
        Assert.NotNull(write);
        _ahead.Return(write);
    }
}
