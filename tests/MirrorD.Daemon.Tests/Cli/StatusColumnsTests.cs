using MirrorD.Api;
using MirrorD.Control.Output;

namespace MirrorD.Daemon.Tests.Cli;

public class StatusColumnsTests
{
    [Fact]
    public void Columns_stay_as_they_are()
    {
        var output = new StringWriter();

        StatusColumns.Write(
            Report(Resource("mail", "ok", "Primary"), Resource("a-longer-name", "held-up", "Standby") with
            {
                PeerRole = null,
                HoldUp = new HoldUpReport
                {
                    State = "FrozenNoProof",
                    Reason = "r",
                    Owner = "operator",
                    Since = DateTimeOffset.UnixEpoch,
                },
            }),
            output);

        Assert.Equal(
            """
            RESOURCE      HEALTH  ROLE    DISK     LINK   PEER PEER-ROLE PEER-DISK DIRTY-BYTES NOTE
            mail          ok      Primary UpToDate Joined b    Standby   UpToDate  8192        -
            a-longer-name held-up Standby UpToDate Joined b    -         UpToDate  8192        FrozenNoProof

            """.ReplaceLineEndings("\n"),
            output.ToString());
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
