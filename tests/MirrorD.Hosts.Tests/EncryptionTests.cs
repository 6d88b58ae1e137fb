using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>What crosses the link of real daemons, as a third one reads it there.</summary>
public sealed class EncryptionTests : PairTest
{
    private static readonly byte[] s_secret =
        [.. Enumerable.Range(0, 32).SelectMany(_ => "the company's only secret, 31 B\n"u8.ToArray())];

    [HostTheory]
    [InlineData("on", false)]
    [InlineData("off", true)]
    public void Data_is_readable_on_the_link_only_where_it_was_asked_for_and_arrives_either_way(string encryption, bool isReadable)
    {
        var pair = new Pair(
            Lab, new PairOptions { DiskBytes = 64L << 20, ResourceLines = [$"encryption: {encryption}"] });
        var recording = new LinkRecording(Lab.A, 7780);
        pair.StartJoinedWithPrimaryA();
        using (NbdConnection client = NbdConnection.Connect(pair.A.Export()))
        {
            byte[] block = new byte[65536];
            for (int at = 0; at + s_secret.Length <= block.Length; at += s_secret.Length)
            {
                s_secret.CopyTo(block, at);
            }

            for (int i = 0; i < 64; i++)
            {
                client.Write(i * 65536L, block);
            }

            client.Flush();
        }

        Wait.For("what was written to be recorded", 20, () => recording.Bytes > 64 * 65536);
        byte[] said = recording.End();
        Assert.True(said.Length > 64 * 65536, $"{said.Length} bytes were recorded");
        Assert.Equal(isReadable, said.AsSpan().IndexOf(s_secret.AsSpan(0, 256)) >= 0);
        WaitUntilIdentical(pair);
        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 16L << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        pair.B.Daemon.Kill();
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        pair.B.StartAndWait();
        pair.WaitUntilJoined(60);
        fio.StopAndRequireClean();
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void Nodes_that_want_different_things_are_not_joined_and_both_say_so()
    {
        var pair = new Pair(Lab, new PairOptions());
        string text = File.ReadAllText(pair.B.ConfigurationPath);
        File.WriteAllText(
            pair.B.ConfigurationPath,
            text.Replace("    between: [a, b]", "    between: [a, b]\n    encryption: off", StringComparison.Ordinal));
        pair.A.StartAndWait();
        pair.B.StartAndWait();

        pair.A.Daemon.WaitForOutput("the other side has encryption off, this node on", 30);
        pair.B.Daemon.WaitForOutput("the other side has encryption on, this node off", 30);
        Assert.False(pair.A.Status().IsJoined);
    }
}
