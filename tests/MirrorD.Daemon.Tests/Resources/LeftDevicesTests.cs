using MirrorD.Daemon.Resources;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Tests.Resources;

/// <summary>What becomes of the block devices of an earlier daemon.</summary>
public class LeftDevicesTests
{
    private readonly LeftDevices _left = new();

    [Fact]
    public void Those_of_a_primary_wait_while_it_joins_as_standby_and_takes_its_role_again()
    {
        // As a restart publishes it.
        Assert.False(Go(new() { IsRead = false }));
        Assert.False(Go(new() { Promotions = 1 }));
        Assert.False(Go(new() { Promotions = 1, Peer = Role.Standby }));
        Assert.False(Go(new() { Promotions = 1, Peer = Role.Standby, WasPrimary = false }));
        Assert.False(Go(new() { Promotions = 2, Peer = Role.Standby }));
        Assert.False(Go(new() { Promotions = 2, Peer = Role.Standby, Role = Role.Primary }));

        // A later end of the role takes them away by itself.
        Assert.False(Go(new() { Promotions = 3, Peer = Role.Primary, WasPrimary = false }));
    }

    [Fact]
    public void They_go_at_once_where_no_role_was_left()
    {
        Assert.False(Go(new() { IsRead = false }));
        Assert.True(Go(new() { Promotions = 1, WasPrimary = false }));
        Assert.False(Go(new() { Promotions = 1, WasPrimary = false }));
    }

    [Fact]
    public void They_go_when_the_peer_is_met_as_primary_and_not_only_after_the_resync()
    {
        Assert.False(Go(new() { Promotions = 1 }));
        Assert.True(Go(new() { Promotions = 1, Peer = Role.Primary }));
    }

    [Fact]
    public void They_go_when_the_peer_had_the_role_in_between()
    {
        Assert.False(Go(new() { Promotions = 1 }));
        Assert.False(Go(new() { Promotions = 1, Peer = Role.Standby }));
        Assert.True(Go(new() { Promotions = 2, Peer = Role.Standby, WasPrimary = false }));
    }

    [Fact]
    public void They_go_when_the_role_moves_before_it_was_resumed()
    {
        Assert.False(Go(new() { Promotions = 1 }));
        Assert.False(Go(new() { Promotions = 1, Peer = Role.Standby, WasPrimary = false }));
        Assert.True(Go(new() { Promotions = 1, Peer = Role.Primary, WasPrimary = false }));
    }

    private bool Go(Seen seen) => _left.HaveToGo(new ResourceStatus
    {
        Name = "r",
        Role = seen.Role,
        WasPrimary = seen.WasPrimary,
        DiskState = DiskState.UpToDate,
        Link = LinkState.Disconnected,
        PeerRole = seen.Peer,
        PeerName = "b",
        Promotions = seen.Promotions,
        Volumes = seen.IsRead ? [new VolumeStatus("v", "/dev/v", 4096, 0, 0, 0)] : [],
    });

    private sealed record Seen
    {
        public bool IsRead { get; init; } = true;

        public ulong Promotions { get; init; }

        public Role Role { get; init; } = Role.Standby;

        public Role? Peer { get; init; }

        public bool WasPrimary { get; init; } = true;
    }
}
