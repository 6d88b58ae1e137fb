using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>A pair of which one node serves by io_uring and the other one by epoll and threads.</summary>
public sealed class LoopTests : PairTest
{
    private const int FioClients = 2;
    private const long FioBytesPerClient = 8 << 20;

    [HostTheory]
    [InlineData("epoll", "uring")]
    [InlineData("uring", "epoll")]
    public void Killed_in_turn_both_come_back_and_the_copies_are_the_same(string a, string b)
    {
        Pair pair = StartPair(new PairOptions
        {
            Disks = DiskKind.Loop,
            NodeLine = new Dictionary<string, string> { ["a"] = $"io: {a}", ["b"] = $"io: {b}" },
        });
        foreach ((Node node, string io) in ((Node, string)[])[(pair.A, a), (pair.B, b)])
        {
            Assert.Contains(io == "epoll" ? ", epoll)" : ", io_uring)", node.Control("version").Require().Output);
        }

        string patient = PatientExport.Start(Lab, "fio", pair.A.Export());
        var fio = new FioRun(Lab, patient, FioClients, FioBytesPerClient);
        foreach (Node victim in (Node[])[pair.B, pair.A, pair.B, pair.A])
        {
            LinkBytes start = Lab.Link.ReadBytes();
            Wait.For(
                "fio to write", 30, () => Lab.Link.ReadBytes().Since(start).FromA > 2 << 20, () => Lab.Logs());
            victim.Daemon.Kill();
            fio.Pause();
            victim.StartAndWait();
            pair.WaitUntilJoined(60);
            pair.A.Promote();
            WaitUntilIdentical(pair);
            Assert.True(fio.IsRunning, fio.Tail());
            fio.Resume();
        }

        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_standby_on_threads_takes_over_and_its_peer_resyncs()
    {
        Pair pair = StartPair(new PairOptions
        {
            Arbiter = true,
            NodeLine = new Dictionary<string, string> { ["a"] = "io: uring", ["b"] = "io: epoll" },
        });
        var workload = new StampedWorkload(blockCount: 2000, seed: 7);
        workload.Start(pair.A.Export());
        Wait.For("300 writes", 20, () => workload.Acknowledged > 300, () => Lab.Logs());
        pair.A.Host.Run("ip", "link", "set", "prod", "down").Require();
        Lab.Link.CutSilently();
        pair.A.Daemon.Kill();
        workload.WaitForEnd();
        Pair.TakeOver(pair.B);
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));

        Lab.Link.Mend();
        pair.A.Host.Boot();
        pair.A.Host.Run("ip", "addr", "del", $"{MirrorD.Lab.Lab.ServiceAddress}/32", "dev", "prod");
        pair.A.Host.Run("ip", "link", "set", "prod", "up").Require();
        pair.A.StartAndWait();
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
    }
}
