using System.Net;
using MirrorD.Daemon.Forwarding;
using MirrorD.Daemon.Tests.Resources;

namespace MirrorD.Daemon.Tests.Forwarding;

public sealed class StrangersTests
{
    private static readonly IPAddress s_flood = IPAddress.Parse("10.0.0.66");
    private static readonly IPAddress s_node = IPAddress.Parse("10.0.0.2");
    private readonly SimulatedTime _time = new(DateTimeOffset.UnixEpoch);

    [Fact]
    public void When_all_places_are_taken_the_oldest_of_the_address_that_has_most_goes()
    {
        var strangers = new Strangers(_time);
        Stranger node = Enter(strangers, s_node);
        Stranger[] flood = [.. Enumerable.Range(0, Strangers.Most + 10).Select(_ => Enter(strangers, s_flood))];
        Assert.False(node.Ended.IsCancellationRequested);
        Assert.All(flood[..11], one => Assert.True(one.IsPushedOut && one.Ended.IsCancellationRequested));
        Assert.All(flood[11..], one => Assert.False(one.IsPushedOut));
    }

    [Fact]
    public void One_that_leaves_makes_room()
    {
        var strangers = new Strangers(_time);
        Stranger[] flood = [.. Enumerable.Range(0, Strangers.Most).Select(_ => Enter(strangers, s_flood))];
        strangers.Leave(flood[5]);
        Enter(strangers, s_flood);
        Assert.False(flood[0].IsPushedOut);
        Enter(strangers, s_flood);
        Assert.True(flood[0].IsPushedOut);
    }

    [Fact]
    public void From_as_many_addresses_the_oldest_of_all_goes()
    {
        var strangers = new Strangers(_time);
        Stranger[] all = [.. Enumerable.Range(0, Strangers.Most + 1).Select(n => Enter(strangers, new IPAddress(n + 1)))];
        Assert.True(all[0].IsPushedOut);
        Assert.All(all[1..], one => Assert.False(one.IsPushedOut));
    }

    [Fact]
    public void After_a_burst_they_are_taken_up_at_a_steady_rate()
    {
        var strangers = new Strangers(_time);
        for (int n = 0; n < Strangers.Burst; n++)
        {
            Assert.True(strangers.Count() <= TimeSpan.Zero);
        }

        for (int n = 0; n < 100; n++)
        {
            TimeSpan pause = strangers.Count();
            Assert.Equal(n % Strangers.Batch == 0 ? Strangers.Interval * Strangers.Batch : TimeSpan.Zero, pause);
            _time.Advance(pause);
        }

        _time.Advance(TimeSpan.FromHours(1));
        int atOnce = Enumerable.Range(0, 1000).TakeWhile(_ => strangers.Count() <= TimeSpan.Zero).Count();
        Assert.Equal(Strangers.Burst, atOnce);
    }

    private static Stranger Enter(Strangers strangers, IPAddress from) =>
        strangers.Enter(from, TimeSpan.FromHours(1), CancellationToken.None);
}
