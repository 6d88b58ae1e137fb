using Microsoft.Extensions.Logging.Abstractions;
using MirrorD.Daemon.Devices;

namespace MirrorD.Daemon.Tests.Devices;

/// <summary>Devices that no volume of this node has any more.</summary>
public class OrphanDevicesTests
{
    private readonly TestDriver _driver = new("mirrord:gone/data");
    private readonly List<(string Kind, string Message)> _told = [];

    [Fact]
    public async Task One_whose_resource_is_gone_is_taken_away_and_told_with_its_users()
    {
        _driver.Add(3);
        _driver.Users["/dev/nbd3"] = ["mounted at /srv", "open by tail (pid 7)"];
        await TakeAway();

        Assert.True(_driver.Devices[3].IsDead, "it waits on");
        (string kind, string message) = Assert.Single(_told);
        Assert.Equal("device-removed", kind);
        Assert.StartsWith("/dev/nbd3 was left by an earlier mirrord for gone/data", message, StringComparison.Ordinal);
        Assert.EndsWith("; it was mounted at /srv, open by tail (pid 7).", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Those_that_are_claimed_or_are_none_of_ours_stay()
    {
        _driver.Add(0, named: "mirrord:mail/data");
        _driver.Add(1, named: "somebody/else");
        _driver.Add(2, isDead: true);
        await TakeAway();

        Assert.False(_driver.Devices[0].IsDead);
        Assert.False(_driver.Devices[1].IsDead);
        Assert.Empty(_told);
    }

    [Fact]
    public async Task One_that_another_living_process_serves_is_left_alone()
    {
        _driver.Add(0).IsServed = true;
        await TakeAway();

        Assert.False(_driver.Devices[0].IsDead, "it was taken from who serves it");
        Assert.Equal("device-left-alone", Assert.Single(_told).Kind);
    }

    [Fact]
    public async Task The_connection_that_proves_it_is_closed_before_the_end_of_the_device_and_after_the_look_at_its_users()
    {
        _driver.Add(0);
        await TakeAway();
        Assert.Equal(["users", "reconfigure", "disconnect"], _driver.Calls);
    }

    [Fact]
    public async Task A_connection_that_the_kernel_lets_go_of_a_moment_later_proves_nothing()
    {
        _driver.Add(0).IsServed = true;
        _driver.LetsGoLater = true;
        await TakeAway();

        Assert.False(_driver.Devices[0].IsDead, "it was taken from who serves it");
        Assert.Equal("device-left-alone", Assert.Single(_told).Kind);
    }

    private Task TakeAway()
    {
        var kernel = new KernelNbd(NullLogger.Instance, () => (_driver, null));
        var orphans = new OrphanDevices(kernel, (kind, message) =>
        {
            lock (_told)
            {
                _told.Add((kind, message));
            }
        })
        {
            Patience = TimeSpan.Zero,
        };
        return Within.Deadline(orphans.TakeAway(new HashSet<string> { "mirrord:mail/data" }), "the look");
    }
}
