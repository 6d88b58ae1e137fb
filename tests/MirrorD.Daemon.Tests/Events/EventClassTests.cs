using MirrorD.Api;
using MirrorD.Daemon.Events;

namespace MirrorD.Daemon.Tests.Events;

/// <summary>Of which events people are told.</summary>
public class EventClassTests
{
    /// <summary>A role that is resumed has no other event to say it: "acquired" comes in any case.</summary>
    [Theory]
    [InlineData("hook-failed")]
    [InlineData("address-failed")]
    [InlineData("device-failed")]
    public void What_keeps_a_service_away_though_the_role_is_there_is_an_alarm(string kind) =>
        Assert.Equal(EventClass.Alarm, EventClasses.Of(kind));
}
