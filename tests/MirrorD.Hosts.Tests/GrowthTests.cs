using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>Volumes that grow while they are in use, after their disks were enlarged.</summary>
public sealed class GrowthTests : PairTest
{
    private const long OldDisk = 64L << 20;
    private const int OldBlocks = 300;

    [HostFact]
    public void A_volume_grows_while_fio_writes_to_it_and_both_copies_are_equal()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = OldDisk });
        byte[] old = Random(1, OldBlocks * 4096);
        long offset = (OldDisk / 2) + 4096;
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            client.Write(offset, old);
            client.Flush();
        }

        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 8 << 20);
        long before = pair.A.Status().LengthBytes("data");
        Enlarge(pair, 3 * OldDisk);
        ToolResult answer = pair.A.Control("resize", Pair.ResourceName).Require();
        Assert.Contains("the new area is being copied", answer.Output, StringComparison.Ordinal);
        pair.WaitUntilJoined(60);
        long after = pair.A.Status().LengthBytes("data");
        Assert.InRange(after, 3 * OldDisk - (1 << 20), 3 * OldDisk);
        Assert.Equal(after, pair.B.Status().LengthBytes("data"));
        LinkBytes moved = Lab.Link.ReadBytes();
        Wait.For("fio to write on", 20, () => Lab.Link.ReadBytes().Since(moved).FromA > 2 << 20, fio.Tail);
        fio.StopAndRequireClean();

        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            Assert.Equal(after, client.LengthBytes);
            Assert.Equal(old, Read(client, offset, old.Length));
            byte[] crossing = Random(2, 1 << 20);
            client.Write(before - (1 << 19), crossing);
            byte[] last = Random(3, 65536);
            client.Write(after - last.Length, last);
            client.Flush();
            Assert.Equal(crossing, Read(client, before - (1 << 19), crossing.Length));
            Assert.Equal(last, Read(client, after - last.Length, last.Length));
        }

        WaitUntilIdentical(pair);

        // What both know is at the new end of their disks.
        pair.A.Daemon.Kill();
        pair.B.Daemon.Kill();
        pair.A.StartAndWait();
        pair.B.StartAndWait();
        pair.WaitUntilJoined(60);
        Assert.Equal(after, pair.B.Status().LengthBytes("data"));
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_daemon_that_starts_on_a_disk_that_was_enlarged_and_not_grown_finds_its_metadata()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = OldDisk });
        long before = pair.A.Status().LengthBytes("data");
        foreach (Node node in new[] { pair.A, pair.B })
        {
            string known = Path.Combine(node.StateDirectory, "places", "mail.data.device-bytes");
            Wait.For("the size of the disk to be noted", 10, () => File.Exists(known));
        }

        Enlarge(pair, 2 * OldDisk);
        pair.A.Daemon.Kill();
        pair.B.Daemon.Kill();
        pair.A.StartAndWait();
        pair.B.StartAndWait();
        pair.WaitUntilJoined(60);
        Assert.Equal(before, pair.A.Status().LengthBytes("data"));
        pair.B.Control("resize", "mail/data").Require();
        pair.WaitUntilJoined(60);
        Assert.True(pair.B.Status().LengthBytes("data") > before);
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void A_growth_that_can_not_be_is_refused_with_the_cause_and_changes_nothing()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = OldDisk });
        long before = pair.A.Status().LengthBytes("data");
        Refused("on a, no more than it has", "resize", "mail");
        Tool.Run("truncate", "-s", $"{2 * OldDisk}", pair.A.Disk()).Require();
        Refused("on b, no more than it has", "resize", "mail");
        Refused("never shrinks", "resize", "mail", "--size", "32MiB");
        Refused("room for", "resize", "mail", "--size", "4GiB");
        Refused("has no volume spool", "resize", "mail/spool");
        Refused("is no size", "resize", "mail", "--size", "large");
        Tool.Run("truncate", "-s", $"{OldDisk + 65536}", pair.B.Disk()).Require();
        Refused("grown by less than the length of its metadata", "resize", "mail");
        pair.WaitUntilJoined(10);
        Assert.Equal(before, pair.A.Status().LengthBytes("data"));
        pair.B.Daemon.Kill();
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        Refused("b is not joined", "resize", "mail");

        void Refused(string cause, params string[] words)
        {
            ToolResult result = pair.A.Control(words);
            Assert.False(result.Succeeded, result.Text);
            Assert.Contains(cause, result.Error, StringComparison.Ordinal);
        }
    }

    /// <summary>Each side is killed at several points of a growth; then the command is given again, if need be.</summary>
    [HostFact]
    public void A_daemon_that_is_killed_in_the_middle_comes_back_and_the_volume_grows()
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = OldDisk });
        byte[] old = Random(4, OldBlocks * 4096);
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            client.Write(4096, old);
            client.Flush();
        }

        long disk = OldDisk;
        int round = 0;
        foreach (string point in new[] { "asked", "moved", "parted", "stored" })
        {
            foreach (Node victim in new[] { pair.A, pair.B })
            {
                long before = pair.A.Status().LengthBytes("data");
                disk += 32L << 20;
                Enlarge(pair, disk);
                Node asked = round++ % 2 == 0 ? pair.A : pair.B;
                LabProcess command = asked.Host.Start(
                    $"resize-{round}", Path.GetFullPath(Program), "--socket", asked.ControlSocket, "resize", "mail");
                Wait.For($"round {round}: {point} on {victim.Name}", 30, () => !command.IsRunning || point switch
                {
                    "asked" => true,
                    "moved" => HasMetadataAtEnd(victim),
                    "parted" => victim.TryStatus()?.Link != "Joined",
                    _ => victim.TryStatus()?.LengthBytes("data") > before,
                });
                victim.Daemon.Kill();
                victim.StartAndWait();
                pair.WaitUntilJoined(60);
                if (!pair.A.Status().IsPrimary)
                {
                    pair.A.Promote();
                }

                if (pair.A.Status().LengthBytes("data") == before)
                {
                    pair.A.Control("resize", "mail").Require();
                    pair.WaitUntilJoined(60);
                }

                long after = pair.A.Status().LengthBytes("data");
                Assert.InRange(after, disk - (1 << 20), disk);
                Assert.Equal(after, pair.B.Status().LengthBytes("data"));
                using NbdConnection client = NbdConnection.Connect(pair.A.Export());
                Assert.Equal(old, Read(client, 4096, old.Length));
                client.Write(before, Random(round, 65536));
                client.Flush();
                WaitUntilIdentical(pair);
            }
        }
    }

    private static string Program => Path.Combine(Repository(), "out", "mirrorctl");

    private static string Repository()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "MirrorD.sln")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return directory;
    }

    private static void Enlarge(Pair pair, long bytes)
    {
        foreach (Node node in new[] { pair.A, pair.B })
        {
            Tool.Run("truncate", "-s", $"{bytes}", node.Disk()).Require();
        }
    }

    /// <summary>As anybody could see it: the last megabyte of the disk has a superblock.</summary>
    private static bool HasMetadataAtEnd(Node node) =>
        Tool.Run("sh", "-c", $"tail -c 1048576 {node.Disk()} | grep -qa MRDSUPER").Succeeded;

    private static byte[] Random(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Read(NbdConnection client, long offset, int length)
    {
        byte[] bytes = new byte[length];
        client.Read(offset, bytes);
        return bytes;
    }
}
