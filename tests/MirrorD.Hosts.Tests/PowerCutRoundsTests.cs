using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>Power cuts of hosts whose disks have a volatile write cache.</summary>
public sealed class PowerCutRoundsTests : PairTest
{
    private const int Rounds = 10;
    private const int Blocks = 4000;

    // Where the workload writes, in whole extents, with room for what the protocol adds.
    private const long MostMovedBytes = ((Blocks * 4096L) + (4 << 20)) * 5 / 4;

    private readonly StampedWorkload _workload = new(Blocks, seed: 11);

    [HostFact]
    public void After_power_cuts_every_flushed_write_is_there_and_both_copies_agree()
    {
        Pair pair = StartPair(
            new PairOptions { Disks = DiskKind.Volatile, DiskBytes = 128 << 20, Arbiter = true });
        Node primary = pair.A;
        for (int round = 0; round < Rounds; round++)
        {
            _workload.Start(primary.Export());
            long begun = _workload.Acknowledged;
            Wait.For(
                $"round {round}: 800 writes", 60,
                () => _workload.Acknowledged > begun + 800, () => Lab.Logs());
            primary = (round % 3) switch
            {
                0 => PrimaryLosesPower(pair, primary),
                1 => StandbyLosesPower(pair, primary),
                _ => BothLosePower(pair, primary),
            };
            WaitUntilIdentical(pair);
        }
    }

    private Node PrimaryLosesPower(Pair pair, Node primary)
    {
        Node standby = pair.Other(primary);
        primary.CutPower();
        _workload.WaitForEnd();
        Pair.TakeOver(standby);

        // The standby lost nothing: all that was acknowledged is there, flushed or not.
        AssertLegal(standby, powerWasCut: false);
        BringBack(pair, primary);
        return standby;
    }

    private Node StandbyLosesPower(Pair pair, Node primary)
    {
        Node standby = pair.Other(primary);
        standby.CutPower();
        long acknowledged = _workload.Acknowledged;
        Wait.For(
            "the primary to go on alone", 30,
            () => _workload.Acknowledged > acknowledged + 200, () => Lab.Logs());
        _workload.Stop();
        Assert.Null(_workload.Broken);
        BringBack(pair, standby);
        AssertLegal(primary, powerWasCut: false);
        return primary;
    }

    private Node BothLosePower(Pair pair, Node primary)
    {
        Node standby = pair.Other(primary);
        primary.CutPower();
        standby.CutPower();
        _workload.WaitForEnd();
        primary.RestorePower();
        primary.StartAndWait();
        BringBack(pair, standby);
        primary.Promote();

        AssertLegal(primary, powerWasCut: true);
        return primary;
    }

    private void BringBack(Pair pair, Node node)
    {
        LinkBytes before = Lab.Link.ReadBytes();
        node.RestorePower();
        node.StartAndWait();
        pair.WaitUntilJoined(60);
        LinkBytes moved = Lab.Link.ReadBytes().Since(before);
        Assert.True(moved.Both <= MostMovedBytes, $"{moved} of at most {MostMovedBytes}: a full sync?");
    }

    private void AssertLegal(Node primary, bool powerWasCut) =>
        Assert.Empty(_workload.Verify(primary.Export(), powerWasCut).Take(10));
}
