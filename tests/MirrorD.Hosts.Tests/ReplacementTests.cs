using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>A node that is gone for good, and another machine in its place.</summary>
public sealed class ReplacementTests : PairTest
{
    [HostFact]
    public void A_new_machine_takes_the_place_of_a_dead_one_and_the_old_one_is_never_let_in_again()
    {
        Pair pair = StartPair(new PairOptions { OnPeerLoss = "continue", DiskBytes = 64L << 20 });
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            Write(client, seed: 1);
            pair.B.Daemon.Kill();
            pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
            Write(client, seed: 2);
        }

        // The old machine is put aside; the new one has the name, the addresses, the configuration and keys of its own. Those
        // of the old one are good all the same: nobody took them back.
        string oldDisk = Path.Combine(Lab.Directory, "old.img");
        string oldState = Path.Combine(Lab.Directory, "old-state");
        Tool.Run("cp", pair.B.Disk(), oldDisk).Require();
        Directory.Move(pair.B.StateDirectory, oldState);
        Pair.Issue(pair.A, pair.B);
        Tool.Run("truncate", "-s", "0", pair.B.Disk()).Require();
        Tool.Run("truncate", "-s", $"{64L << 20}", pair.B.Disk()).Require();
        ToolResult tooEarly = pair.A.Control("node", "replace", "b", "--yes");
        Assert.Contains("no other machine has answered as b yet", tooEarly.Error, StringComparison.Ordinal);

        Pair.Create(pair.B, "--from", "a");
        pair.B.StartAndWait();
        pair.A.WaitFor("to see a stranger", 30, view => view.HoldUp == "PeerUnknown");
        Assert.Equal("Disconnected", pair.A.Status().Link);
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            Write(client, seed: 3);
        }

        ToolResult unconfirmed = pair.A.Control("node", "replace", "b");
        Assert.Contains("needs a confirmation", unconfirmed.Error, StringComparison.Ordinal);
        pair.A.Control("node", "replace", "b", "--yes").Require();
        pair.WaitUntilJoined(60);
        Assert.Equal("PeerNew", pair.A.Status().HandshakeCase);
        Assert.True(pair.A.Status().IsPrimary);
        WaitUntilIdentical(pair);

        // The old machine comes back instead of the new one: with its own identity and its own disk.
        pair.B.Daemon.Kill();
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        string newState = Path.Combine(Lab.Directory, "new-state");
        Directory.Move(pair.B.StateDirectory, newState);
        string newDisk = Path.Combine(Lab.Directory, "new.img");
        Tool.Run("cp", pair.B.Disk(), newDisk).Require();
        Become(pair.B, oldState, oldDisk);
        pair.A.WaitFor("to see a stranger", 30, view => view.HoldUp == "PeerUnknown");
        ToolResult promoted = pair.B.Control("promote", Pair.ResourceName);
        Assert.False(promoted.Succeeded, promoted.Text);
        Assert.Equal("Standby", pair.B.Status().Role);
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            Write(client, seed: 4);
        }

        Assert.Equal("Disconnected", pair.A.Status().Link);
        pair.B.Daemon.Kill();
        Directory.Delete(pair.B.StateDirectory, recursive: true);
        Become(pair.B, newState, newDisk);
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
    }

    private static void Become(Node node, string state, string disk)
    {
        Directory.Move(state, node.StateDirectory);
        Tool.Run("cp", disk, node.Disk()).Require();
        node.StartAndWait();
    }

    private static void Write(NbdConnection client, int seed)
    {
        var random = new Random(seed);
        byte[] block = new byte[65536];
        for (int i = 0; i < 50; i++)
        {
            random.NextBytes(block);
            client.Write(random.Next((int)(client.LengthBytes / block.Length)) * (long)block.Length, block);
        }

        client.Flush();
    }
}
