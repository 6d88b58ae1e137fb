using MirrorD.Daemon.Access;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Daemon.Tests.Access;

/// <summary>What somebody may do on each socket, by the kernel's word on who it is.</summary>
public sealed class AccessGroupsTests
{
    private static readonly AccessGroups s_groups = new(Control: 500, Read: 600);

    [Theory]
    [InlineData(0, 0, Rights.All, Rights.Read)]
    [InlineData(1000, 500, Rights.All, Rights.Read)]
    [InlineData(1000, 600, Rights.None, Rights.Read)]
    [InlineData(1000, 0, Rights.None, Rights.None)]
    [InlineData(1000, 1000, Rights.None, Rights.None)]
    public void Rights_come_from_user_and_groups(int user, int group, object onControl, object onRead)
    {
        foreach (uint[] groups in (uint[][])[[(uint)group], [77, (uint)group]])
        {
            var peer = new PeerCredentials((uint)user, 4711, groups);
            Assert.Equal(onControl, s_groups.RightsOf(peer, ApiSocket.Control));
            Assert.Equal(onRead, s_groups.RightsOf(peer, ApiSocket.Read));
            Assert.Equal(Rights.None, s_groups.RightsOf(peer, ApiSocket.Calls));
        }
    }

    [Fact]
    public void Calls_of_other_nodes_are_brought_by_this_process_only()
    {
        var self = new PeerCredentials(Mono.Unix.Native.Syscall.geteuid(), Environment.ProcessId, []);

        Assert.Equal(Rights.All, s_groups.RightsOf(self, ApiSocket.Calls));
        Assert.Equal(Rights.None, s_groups.RightsOf(self with { ProcessId = self.ProcessId + 1 }, ApiSocket.Calls));
        Assert.Equal(Rights.None, s_groups.RightsOf(self with { UserId = 1000 }, ApiSocket.Calls));
    }

    [Fact]
    public void A_group_that_is_not_there_has_no_members()
    {
        var peer = new PeerCredentials(1000, 4711, [0, 500, 600]);
        var nobody = new AccessGroups(null, null);

        Assert.Equal(Rights.None, nobody.RightsOf(peer, ApiSocket.Control));
        Assert.Equal(Rights.None, nobody.RightsOf(peer, ApiSocket.Read));
    }
}
