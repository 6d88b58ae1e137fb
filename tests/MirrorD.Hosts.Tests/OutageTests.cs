using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>What a resync moves, by the counters of the link's interfaces.</summary>
public sealed class OutageTests : PairTest
{
    private const int Writes = 1000;

    [HostFact]
    public void After_an_outage_the_resync_moves_the_blocks_written_meanwhile_and_no_more()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = 1L << 30, OnPeerLoss = "continue" });
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            // Something to have in sync before, spread as widely as what comes after.
            WriteRandomBlocks(client, seed: 1);
            client.Flush();

            Lab.Link.CutSilently();
            pair.A.WaitFor("to notice the outage", 20, view => view.Link == "Disconnected");
            WriteRandomBlocks(client, seed: 2);
            client.Flush();
            pair.A.WaitFor(
                "to show the blocks written as dirty", 10,
                view => view.DirtyBytes("data") is > (Writes - 50) * 4096L and <= Writes * 4096L);
        }

        LinkBytes before = Lab.Link.ReadBytes();
        Lab.Link.Mend();
        pair.WaitUntilJoined(60);
        LinkBytes moved = Lab.Link.ReadBytes().Since(before);

        // Each block with its frame, packet headers and acknowledgement; then handshake, dirty maps and
        // heartbeats.
        long most = (Writes * (4096L + 512)) + (512 << 10);
        Assert.InRange(moved.Both, (Writes - 50) * 4096L, most);
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void By_checksum_what_both_have_stays_and_a_paused_resync_moves_nothing()
    {
        const int Different = 100;
        Pair pair = StartPair(new PairOptions { OnPeerLoss = "continue", ResourceLines = ["resync: by-checksum"] });
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            WriteRandomBlocks(client, seed: 1);
            client.Flush();
            Lab.Link.CutSilently();
            pair.A.WaitFor("to notice the outage", 20, view => view.Link == "Disconnected");

            // The same once more, as a job that runs again does, and some that are new.
            WriteRandomBlocks(client, seed: 1);
            WriteRandomBlocks(client, seed: 2, Different);
            client.Flush();
        }

        pair.B.Control("pause-sync", Pair.ResourceName).Require();
        LinkBytes before = Lab.Link.ReadBytes();
        Lab.Link.Mend();
        pair.B.WaitFor("to be paused", 20, view => view is { Link: "SyncTarget", HoldUp: "SyncPaused" });
        pair.A.WaitFor("to say so too", 20, view => view is { Link: "SyncSource", HoldUp: "SyncPaused" });
        Wait.While("nothing is copied", 2, () => pair.A.Status().DirtyBytes("data") > Writes / 2 * 4096L);
        Assert.InRange(Lab.Link.ReadBytes().Since(before).Both, 0, 512 << 10);

        pair.B.Control("resume-sync", Pair.ResourceName).Require();
        pair.WaitUntilJoined(60);
        LinkBytes moved = Lab.Link.ReadBytes().Since(before);

        // A question and an answer for each block, data for what differs.
        Assert.InRange(moved.Both, (Different - 5) * 4096L, (Different * (4096L + 512)) + (Writes * 512L) + (512 << 10));
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void While_the_networks_are_open_one_way_at_most_nothing_is_acknowledged_that_the_standby_lacks()
    {
        Pair pair = StartPair();
        var workload = new StampedWorkload(blockCount: 4000, seed: 7);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);

        // Without production too, or the standby would be asked over it to let the Primary go on.
        Lab.Production.Part(pair.A.Host, pair.B.Host);
        Lab.Link.CutSilentlyTowards(pair.B.Host);
        pair.A.WaitFor("to notice the outage and freeze", 20, view => view.HoldUp is not null);
        long acknowledged = workload.Acknowledged;
        Wait.While("no write is acknowledged while frozen", 1, () => workload.Acknowledged == acknowledged);

        Lab.MendNetworks();
        pair.WaitUntilJoined(60);
        Wait.For("writes to go on", 20, () => workload.Acknowledged > acknowledged + 500);
        workload.Stop();
        Assert.Null(workload.Broken);
        Assert.Empty(workload.Verify(pair.A.Export(), powerWasCut: false));
        WaitUntilIdentical(pair);
    }

    private static void WriteRandomBlocks(NbdConnection client, int seed, int writes = Writes)
    {
        var random = new Random(seed);
        byte[] block = new byte[4096];
        int blocks = (int)(client.LengthBytes / 4096);
        for (int write = 0; write < writes; write++)
        {
            random.NextBytes(block);
            client.Write(random.Next(blocks) * 4096L, block);
        }
    }
}
