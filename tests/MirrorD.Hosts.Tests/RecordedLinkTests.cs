using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Witness;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// A third machine on the dedicated network has everything that one node ever said on the link, and says it again while the
/// nodes have lost each other.
/// </summary>
public sealed class RecordedLinkTests : PairTest
{
    private const int LinkPort = 7780;
    private const int RecordedBytes = 256 << 10;
    private const string Thief = "10.78.0.66";
    private const string Cause = "what arrived was changed on its way";

    [HostTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_is_refused_after_a_cut_by_standby_and_primary_and_the_real_mirror_joins_again(bool listenerIsPrimary)
    {
        var pair = new Pair(Lab, new PairOptions { OnPeerLoss = "continue", DiskBytes = 64L << 20 });
        var recording = new LinkRecording(Lab.A, LinkPort);
        pair.StartJoinedWithPrimaryA();
        Write(pair.A, 'o');
        Wait.For("the writes to be recorded", 10, () => recording.Bytes > RecordedBytes);
        byte[] said = recording.End();
        Assert.InRange(said.Length, RecordedBytes, 16 << 20);
        Node primary = listenerIsPrimary ? pair.B : pair.A;
        if (listenerIsPrimary)
        {
            pair.A.Control("switchover", Pair.ResourceName).Require();
            pair.B.WaitFor("to be Primary", 20, view => view.IsPrimary);
        }

        Write(primary, 'n');
        Lab.A.Run("ip", "addr", "add", $"{Thief}/24", "dev", Host.DedicatedInterface).Require();
        Lose(pair);
        Write(primary, 'm');
        string[] before = [StoredState.Of(pair.A), StoredState.Of(pair.B)];
        (string? Session, string? Generation, string Role) shown = Shown(pair.B);

        // In one go, and behind the listener's answer, from which on it has other keys than then.
        int hello = 5 + ((said[3] << 8) | said[4]);
        foreach (int first in (int[])[said.Length, hello, hello, said.Length])
        {
            HostThread.Run(Lab.A, () => Replay(pair.B.Host.DedicatedAddress!, said, first, waits: first == hello));
        }

        pair.B.Daemon.WaitForOutput(Cause, 10);
        Assert.Single(pair.B.Daemon.Output.Split('\n'), line => line.Contains(Cause, StringComparison.Ordinal));
        Assert.Equal(shown, Shown(pair.B));
        Assert.NotEqual("Joined", pair.B.Status().Link);
        Assert.Empty(StoredState.Changes(pair.A, before[0]));
        Assert.Empty(StoredState.Changes(pair.B, before[1]));

        Lab.B.Run("nft", "delete table netdev lost").Require();
        pair.WaitUntilJoined(60);
        Assert.True(primary.Status().IsPrimary);
        using NbdConnection client = NbdConnection.Connect(primary.Export());
        byte[] block = new byte[4096];
        client.Read(0, block);
        Assert.All(block, one => Assert.Equal((byte)'m', one));
        WaitUntilIdentical(pair);
    }

    // Nothing of a arrives at b any more over the link, while the third machine at the same cable reaches it.
    private void Lose(Pair pair)
    {
        Lab.B.Run(
            "nft",
            "add table netdev lost; "
            + "add chain netdev lost incoming "
            + $"{{ type filter hook ingress device \"{Host.DedicatedInterface}\" priority 0; }}; "
            + $"add rule netdev lost incoming ip saddr {pair.A.Host.DedicatedAddress} drop").Require();
        pair.A.WaitFor("to miss its peer", 30, view => view.Link == "Disconnected");
        pair.B.WaitFor("to miss its peer", 30, view => view.Link == "Disconnected");
    }

    private static void Replay(string address, byte[] said, int first, bool waits)
    {
        using RawConnection replay = RawConnection.ToTcp(address, LinkPort, Thief);
        replay.Send(said.AsSpan(0, first));
        if (waits)
        {
            replay.Receive(5);
        }

        replay.Send(said.AsSpan(first));
        Assert.True(replay.IsClosedWithin(20), "the connection is still open");
    }

    private static (string? Session, string? Generation, string Role) Shown(Node node)
    {
        ResourceView view = node.Status();
        return (view.Session, view.Generation, view.Role);
    }

    private static void Write(Node node, char stamp)
    {
        using NbdConnection client = NbdConnection.Connect(node.Export());
        byte[] block = new byte[64 << 10];
        block.AsSpan().Fill((byte)stamp);
        for (int at = 0; at < RecordedBytes; at += block.Length)
        {
            client.Write(at, block);
        }

        client.Flush();
    }
}
