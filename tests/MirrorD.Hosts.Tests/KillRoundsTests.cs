using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>kill -9 of either daemon under load, again and again.</summary>
public sealed class KillRoundsTests : PairTest
{
    private const int Rounds = 20;
    private const int FioClients = 4;
    private const long FioBytesPerClient = 8 << 20;
    private const long ExtentBytes = 4 << 20;

    // The active extents lie where fio writes; what was in flight at the kill is at most its queue.
    private const long InFlightBytes = FioClients * 8 * (64 << 10);
    private const long MostMovedBytes =
        ((FioClients * FioBytesPerClient) + ExtentBytes + InFlightBytes) * 11 / 10;

    [HostFact]
    public void Killed_daemons_come_back_without_a_full_sync_or_a_lost_write()
    {
        Pair pair = StartPair();
        string patient = PatientExport.Start(Lab, "fio", pair.A.Export());
        var fio = new FioRun(Lab, patient, FioClients, FioBytesPerClient);
        for (int round = 0; round < Rounds; round++)
        {
            LinkBytes start = Lab.Link.ReadBytes();
            Wait.For(
                $"round {round}: fio to write", 30,
                () => Lab.Link.ReadBytes().Since(start).FromA > 2 << 20, () => Lab.Logs());

            Node victim = round % 2 == 0 ? pair.A : pair.B;
            victim.Daemon.Kill();
            fio.Pause();
            LinkBytes before = Lab.Link.ReadBytes();
            victim.StartAndWait();
            pair.WaitUntilJoined(60);
            LinkBytes moved = Lab.Link.ReadBytes().Since(before);
            Assert.True(moved.Both <= MostMovedBytes, $"round {round}: {moved} of at most {MostMovedBytes}");

            pair.A.Promote();

            // What fio had in flight goes on through the patient export.
            WaitUntilIdentical(pair);
            Assert.True(fio.IsRunning, fio.Tail());
            fio.Resume();
        }

        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);
    }
}
