using MirrorD.Simulator.Devices;
using MirrorD.Simulator.Tests.Failover;

namespace MirrorD.Simulator.Tests;

/// <summary>What becomes of the requests of the kernel's block devices.</summary>
public class BlockDeviceTests
{
    [Fact]
    public void Requests_of_a_connection_that_dies_are_sent_again_and_nobody_sees_an_error()
    {
        using Story story = Begin();
        StrikeWhenBusy(story, device => device.CutLink());
        story.Await("something is sent again", () => story.Pair.Tally.Replays > 0);
        AssertGoesOn(story, story.A);
        Assert.Equal(0, story.Pair.Tally.DeviceErrors);
    }

    [Fact]
    public void Requests_of_a_killed_daemon_wait_for_the_next_one()
    {
        using Story story = Begin();
        StrikeWhenBusy(story, _ => story.Kill(story.A));
        story.Await("a is dead", () => !story.A.IsRunning);
        Assert.True(story.A.Devices[0].Waiting > 0);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.A);
        story.Await("something is sent again", () => story.Pair.Tally.Replays > 0);
        AssertGoesOn(story, story.A);
        Assert.Equal(0, story.Pair.Tally.DeviceErrors);
    }

    [Fact]
    public void A_daemon_that_restarts_answers_what_it_has()
    {
        using Story story = Begin();
        bool isFinished = false;
        StrikeWhenBusy(story, _ => story.A.Finish(() => isFinished = true));
        story.Await("it has answered", () => isFinished);
        story.Kill(story.A);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.A);
        AssertGoesOn(story, story.A);
        Assert.Equal(0, story.Pair.Tally.DeviceErrors);
    }

    [Fact]
    public void When_the_peer_has_taken_over_they_fail_and_the_device_goes()
    {
        using Story story = Begin();
        StrikeWhenBusy(story, _ => story.Kill(story.A));
        story.Await("a is dead", () => !story.A.IsRunning);
        int waiting = story.A.Devices[0].Waiting;
        story.AwaitServing(story.B);
        Assert.True(story.A.Devices[0].IsPresent);
        Assert.InRange(story.A.Devices[0].Waiting, Math.Max(1, waiting), int.MaxValue);
        story.Pair.StartNode(story.A);
        story.Await("the device is gone", () => !story.A.Devices[0].IsPresent);
        Assert.InRange(story.Pair.Tally.DeviceErrors, waiting, int.MaxValue);
        Assert.Equal(0, story.Pair.Tally.Replays);
        AssertGoesOn(story, story.B);
    }

    [Fact]
    public void With_its_host_it_is_gone()
    {
        using Story story = Begin();
        story.CutPower(story.A);
        Assert.False(story.A.Devices[0].IsPresent);
        Assert.Equal(0, story.A.Devices[0].Waiting);
    }

    private static Story Begin()
    {
        var story = new Story(s => s with { HasDevices = true, DeviceClients = 3, DeviceQueue = 2 });
        story.Await("a serves its device", () => story.A.Devices[0].IsLinked);
        AssertGoesOn(story, story.A);
        return story;
    }

    private static void StrikeWhenBusy(Story story, Action<KernelDevice> strike)
    {
        KernelDevice device = story.A.Devices[0];
        bool struck = false;
        device.WhenBusy(() => StrikeOrWait());
        story.Await("it was struck", () => struck);

        void StrikeOrWait()
        {
            if (device.Waiting == 0)
            {
                device.WhenBusy(() => StrikeOrWait());
                return;
            }

            struck = true;
            strike(device);
        }
    }

    /// <summary>Its device answers, again and again.</summary>
    private static void AssertGoesOn(Story story, SimulatedNodeState node)
    {
        for (int i = 0; i < 3; i++)
        {
            story.Await($"{node.Name} answers all", () => node.Devices[0] is { IsLinked: true, Waiting: 0 });
            story.Await($"{node.Name} is asked", () => node.Devices[0].Waiting > 0);
        }
    }
}
