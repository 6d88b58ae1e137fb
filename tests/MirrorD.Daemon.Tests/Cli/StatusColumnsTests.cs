using MirrorD.Api;
using MirrorD.Control;
using MirrorD.Control.Output;

namespace MirrorD.Daemon.Tests.Cli;

public class StatusColumnsTests
{
    private static readonly PathReport s_lost = new()
    {
        Peer = "b",
        Network = "10.0.0.1",
        Kind = "dedicated",
        State = PathState.Lost,
        Since = DateTimeOffset.UnixEpoch,
        LastHeardMs = 4200,
    };

    private static readonly PathReport s_up = s_lost with
    {
        Network = "192.0.2.1",
        Kind = "production",
        State = PathState.Up,
        LastHeardMs = null,
    };

    [Fact]
    public void Columns_stay_as_they_are()
    {
        var output = new StringWriter();

        StatusColumns.Write(
            Report(Resource("mail", "ok", "Primary"), Resource("a-longer-name", "held-up", "Standby") with
            {
                PeerRole = null,
                Autoswitch = false,
                Mode = "async",
                AheadBytes = 4096,
                AheadMs = 17,
                NextVerifyAt = new DateTimeOffset(2026, 11, 22, 3, 0, 0, TimeSpan.FromHours(1)),
                HoldUp = new HoldUpReport
                {
                    State = "FrozenNoProof",
                    Reason = "r",
                    Owner = "operator",
                    Since = DateTimeOffset.UnixEpoch,
                },
            }),
            output, wide: false);

        Assert.Equal(
            """
            RESOURCE      HEALTH  ROLE    DISK     LINK   PEER PEER-ROLE PEER-DISK DIRTY-BYTES AUTOSWITCH MODE  AHEAD-BYTES AHEAD-MS NEXT-VERIFY          NOTE
            mail          ok      Primary UpToDate Joined b    Standby   UpToDate  8192        on         sync  0           -        -                    -
            a-longer-name held-up Standby UpToDate Joined b    -         UpToDate  8192        off        async 4096        17       2026-11-22T02:00:00Z FrozenNoProof

            """.ReplaceLineEndings("\n"),
            output.ToString());
    }

    [Fact]
    public void Wide_columns_have_the_networks()
    {
        var output = new StringWriter();

        StatusColumns.Write(
            Report(Resource("mail", "ok", "Primary")) with { Paths = [s_lost, s_up] }, output, wide: true);

        Assert.EndsWith(
            """

            PATH-TO KIND       NETWORK   STATE LAST-HEARD-MS
            b       dedicated  10.0.0.1  Lost  4200
            b       production 192.0.2.1 Up    -

            """.ReplaceLineEndings("\n"),
            output.ToString());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void On_a_terminal_networks_that_are_not_up_are_shown_and_with_wide_all(bool wide, bool upIsShown)
    {
        var output = new StringWriter();
        var terminal = new CommandContext(output, TextWriter.Null, TextReader.Null, true, false);

        StatusTable.Write(
            Report(Resource("mail", "ok", "Primary") with { AutoswitchNote = "The note" }) with
            {
                Paths = [s_lost, s_up],
            },
            terminal, wide);

        Assert.Contains("dedicated network 10.0.0.1 to b: Lost since", output.ToString());
        Assert.Contains("last heard 4.2 s ago", output.ToString().ReplaceLineEndings(" "));
        Assert.Equal(upIsShown, output.ToString().Contains("production network 192.0.2.1 to b: Up"));
        Assert.Contains("mail: The note", output.ToString());
    }

    [Theory]
    [InlineData(0, 0, null, "100 % of 0 B, 0 B/s, time left unknown")]
    [InlineData(1L << 30, 1L << 29, 53L, "50 % of 1 GiB, 110 MiB/s, 53 s left")]
    [InlineData(1L << 40, (1L << 40) - 1, 90061L, "0 % of 1 TiB, 110 MiB/s, 1 d 1 h left")]
    [InlineData(1000, 4, 61L, "99 % of 1000 B, 110 MiB/s, 1 min 1 s left")]
    public void Progress_is_told_with_rate_and_time_left(
        long total, long remaining, long? left, string expected)
    {
        var resync = new ResyncReport
        {
            TotalBytes = total,
            RemainingBytes = remaining,
            SentBytes = 0,
            BytesPerSecond = total == 0 ? 0 : 110L << 20,
            SecondsLeft = left,
            StartedAt = DateTimeOffset.UnixEpoch,
        };

        Assert.Equal(expected, Quantity.Progress(resync));
    }

    private static StatusReport Report(params ResourceReport[] resources) => new()
    {
        Node = "a",
        NodeId = Guid.Empty,
        Version = "0.1.0",
        StartedAt = DateTimeOffset.UnixEpoch,
        Resources = resources,
    };

    private static ResourceReport Resource(string name, string health, string role) => new()
    {
        Name = name,
        Health = health,
        Role = role,
        DiskState = "UpToDate",
        Link = "Joined",
        Peer = "b",
        PeerRole = "Standby",
        PeerDiskState = "UpToDate",
        Proof = "None",
        Autoswitch = true,
        Volumes =
        [
            new VolumeReport
            {
                Name = "data",
                Device = "/dev/vg0/mail",
                LengthBytes = 1 << 20,
                DirtyBytes = 8192,
                Reads = 0,
                Writes = 0,
            },
        ],
        Addresses = [],
    };
}
