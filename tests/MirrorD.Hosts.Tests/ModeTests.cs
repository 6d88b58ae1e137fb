using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>Modes memory and async under real daemons: what docs/concepts/guarantees.md says of them.</summary>
public sealed class ModeTests : PairTest
{
    [HostTheory]
    [InlineData("memory")]
    [InlineData("async")]
    public void A_switchover_loses_nothing_and_a_takeover_nothing_that_was_flushed(string mode)
    {
        Pair pair = StartPair(new PairOptions { Arbiter = true, ResourceLines = [$"mode: {mode}"] });
        Assert.Contains($" {mode} ", pair.A.Control("status", Pair.ResourceName).Require().Output);
        var workload = new StampedWorkload(blockCount: 2000, seed: 31);
        WriteMuch(workload, pair.A);
        workload.Stop();
        Assert.Null(workload.Broken);
        pair.A.Control("switchover", Pair.ResourceName).Require();
        pair.B.WaitFor("to be Primary", 20, view => view.IsPrimary);
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));

        WriteMuch(workload, pair.B);
        pair.B.Host.Run("ip", "link", "set", "prod", "down").Require();
        Lab.Link.CutSilently();
        pair.B.Daemon.Kill();
        workload.WaitForEnd();
        Pair.TakeOver(pair.A);
        Assert.True(workload.Flushes > 0);
        Assert.Empty(workload.Verify(pair.A.Export(), powerWasCut: mode == "async"));

        Lab.Link.Mend();
        pair.B.Host.Boot();
        pair.B.Host.Run("ip", "addr", "del", $"{MirrorD.Lab.Lab.ServiceAddress}/32", "dev", "prod");
        pair.B.Host.Run("ip", "link", "set", "prod", "up").Require();
        pair.B.StartAndWait();
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
    }

    private void WriteMuch(StampedWorkload workload, Node primary)
    {
        long before = workload.Acknowledged;
        workload.Start(primary.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > before + 500, () => Lab.Logs(40));
    }
}
