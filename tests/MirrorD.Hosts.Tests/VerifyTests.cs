using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>mirrorctl verify with real daemons, under load.</summary>
public sealed class VerifyTests : PairTest
{
    // fio writes below it.
    private const long FlippedAt = 48L << 20;

    [HostFact]
    public void Under_fio_nothing_differs_and_a_flipped_byte_is_found_and_repaired()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = 64L << 20, ResourceLines = ["verify-rate: none"] });
        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 16L << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        for (int round = 0; round < 3; round++)
        {
            Assert.Equal((0, 0, 0), Verify(pair));
        }

        Tool.Run("sh", "-c", $"printf x | dd of={pair.B.Disk()} bs=1 seek={FlippedAt} conv=notrunc,fsync").Require();
        Assert.Equal((128 << 10, 0, 0), Verify(pair));
        Assert.Contains("verify-differs", pair.A.Control("events").Require().Output);
        Assert.Contains("different", pair.A.Control("status").Require().Output);
        Assert.Equal(1, pair.B.Control("verify", Pair.ResourceName).ExitCode);

        ToolResult repair = pair.A.Control("verify", Pair.ResourceName, "--repair").Require();
        Assert.Contains("a is Primary, so that its copy counts", repair.Output);
        Assert.Equal((128 << 10, 0, 128 << 10), Ended(pair));
        Assert.Equal((0, 0, 0), Verify(pair));
        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);

        // Both nodes still know after a restart.
        pair.B.WaitFor("to know of the last verify", 10, view => view.Verify is { } known && known.Bytes == (0, 0, 0));
        pair.B.Daemon.Kill();
        pair.B.StartAndWait();
        Assert.Equal((0, 0, 0), pair.B.Status().Verify?.Bytes);
    }

    private static (long, long, long) Verify(Pair pair)
    {
        pair.A.Control("verify", Pair.ResourceName).Require();
        return Ended(pair);
    }

    private static (long, long, long) Ended(Pair pair)
    {
        pair.A.WaitFor("the verify to end", 120, view => view.Verify is { HasEnded: true });
        (bool _, string? endedEarly, (long, long, long) bytes) = pair.A.Status().Verify!.Value;
        Assert.Null(endedEarly);
        return bytes;
    }
}
