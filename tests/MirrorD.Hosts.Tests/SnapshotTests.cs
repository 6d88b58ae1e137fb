using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>A source that is lost in the middle of a resync, on file systems where files share blocks.</summary>
public sealed class SnapshotTests : PairTest
{
    private const int PieceBytes = 128 * 1024;

    [HostFact]
    public void When_the_source_is_lost_half_way_the_copy_from_before_comes_back_and_is_brought_up_to_date_later()
    {
        Pair pair = StartPair(Options());
        string before = InterruptResync(pair);
        string snapshot = pair.B.Disk() + ".mirrord-snapshot";
        Assert.True(File.Exists(snapshot));
        Assert.NotEqual(before, Sum(pair, pair.B.Disk()));
        Assert.Equal(before, Sum(pair, snapshot));

        pair.B.Control("revert", Pair.ResourceName).Require();
        Assert.Equal(before, Sum(pair, pair.B.Disk()));
        pair.B.WaitFor("to be an old copy", 20, view => view.DiskState == "Outdated");
        Wait.For("the snapshot to be removed", 20, () => !File.Exists(snapshot));

        pair.A.StartAndWait();
        pair.WaitUntilJoined(120);
        WaitUntilIdentical(pair);
        Assert.NotEqual(before, Sum(pair, pair.B.Disk()));
        Wait.For("the second snapshot to be removed", 20, () => !File.Exists(snapshot));
    }

    [HostFact]
    public void When_the_room_is_short_the_resync_goes_on_without_a_snapshot()
    {
        Pair pair = StartPair(Options());
        Write(pair, first: 1);
        pair.B.FileSystem().Fill();
        pair.B.Daemon.Kill();
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        Write(pair, first: 101);
        pair.B.Start();
        pair.WaitUntilJoined(120);
        Assert.Contains(
            "no snapshot before the resync: writes to shared blocks may need", pair.B.Control("events").Require().Output,
            StringComparison.Ordinal);
        Assert.False(File.Exists(pair.B.Disk() + ".mirrord-snapshot"));
        WaitUntilIdentical(pair);
    }

    private static PairOptions Options() => new()
    {
        DiskBytes = 192L << 20,
        Disks = DiskKind.Shared,
        OnPeerLoss = "continue",
        ResyncRate = "16MiB/s",
    };

    /// <summary>The sum of what b had before a wrote everything anew.</summary>
    private static string InterruptResync(Pair pair)
    {
        Write(pair, first: 1);
        pair.B.Daemon.Kill();
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        string before = Sum(pair, pair.B.Disk());
        Write(pair, first: 101);
        pair.B.Start();
        pair.A.WaitFor("to have copied a part", 60, view => view.Resync is { Sent: > 80 << 20 });
        pair.A.Daemon.Kill();
        pair.B.WaitFor("to have half of it", 20, view => view.HoldUp == "ResyncTargetWithoutSource");
        return before;
    }

    private static void Write(Pair pair, byte first)
    {
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        byte[] piece = new byte[PieceBytes];
        for (long offset = 0; offset + PieceBytes <= client.LengthBytes; offset += PieceBytes)
        {
            Array.Fill(piece, (byte)(first + offset / PieceBytes));
            client.Write(offset, piece);
        }

        client.Flush();
    }

    /// <summary>Of the volume's data, by another program.</summary>
    private static string Sum(Pair pair, string path)
    {
        long lengthBytes = pair.A.TryStatus() is { } view ? view.LengthBytes("data") : pair.B.Status().LengthBytes("data");
        return Tool.Run("sh", "-c", $"head --bytes={lengthBytes} {path} | sha256sum").Require().Output;
    }
}
