using System.Text.RegularExpressions;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// Whoever is slow, lies about sizes, or says again what was recorded: refused, told once for each cause, and nothing changes.
/// </summary>
public sealed partial class HostileHandshakeTests : PairTest
{
    private const int LinkPort = 7780;
    private const int CallPort = 7779;

    // Both ports end a handshake after 3 and 5 s; the machine may be busy.
    private const double ClosedSeconds = 20;

    [HostFact]
    public void Lies_about_sizes_are_refused_on_both_ports_and_told_once()
    {
        Pair pair = StartPair();
        ResourceView before = pair.B.Status();
        for (int round = 0; round < 2; round++)
        {
            foreach ((string name, byte[] bytes) in Lies())
            {
                foreach (int port in (int[])[LinkPort, CallPort])
                {
                    AtB(pair, port, liar =>
                    {
                        liar.Send(bytes);
                        Assert.True(liar.IsClosedWithin(ClosedSeconds), $"{name}, port {port}: the connection is still open");
                    });
                }
            }
        }

        pair.B.Daemon.WaitForOutput("link attempt refused: ", 10);
        pair.B.Daemon.WaitForOutput(" is refused: ", 10);
        Assert.All(Refusals(pair).GroupBy(cause => cause), cause => Assert.Single(cause));
        RequireUnchanged(pair, before);
    }

    [HostTheory]
    [InlineData(LinkPort, "no authentication within the time limit")]
    [InlineData(CallPort, "no handshake within 5 s")]
    public void One_byte_each_second_is_given_up_in_time_and_told_once(int port, string cause)
    {
        Pair pair = StartPair();
        ResourceView before = pair.B.Status();
        byte[] hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. new byte[100]];
        for (int round = 0; round < 2; round++)
        {
            AtB(pair, port, slow =>
            {
                bool isClosed = false;
                for (int sent = 0; !isClosed; sent++)
                {
                    Assert.True(sent < ClosedSeconds, "the connection is still open");
                    slow.Send([hello[sent]]);
                    isClosed = slow.IsClosedWithin(1);
                }
            });
            pair.B.Daemon.WaitForOutput(cause, 10);
        }

        Assert.Single(pair.B.Daemon.Output.Split('\n'), line => line.Contains(cause, StringComparison.Ordinal));
        RequireUnchanged(pair, before);
    }

    [HostFact]
    public void A_recorded_link_that_is_said_again_changes_nothing()
    {
        const string Cause = "what arrived was changed on its way";
        var pair = new Pair(Lab, new PairOptions());
        var recording = new LinkRecording(Lab.A, LinkPort);
        pair.StartJoinedWithPrimaryA();
        const int Length = 256 << 10;
        Write(pair, 'o', Length);
        Wait.For("the writes to be recorded", 10, () => recording.Bytes > Length);
        byte[] said = recording.End();
        Assert.InRange(said.Length, Length, 16 << 20);

        Write(pair, 'n', Length);
        ResourceView before = pair.B.Status();
        int hello = 5 + ((said[3] << 8) | said[4]);
        foreach (int first in (int[])[said.Length, hello, hello])
        {
            AtB(pair, LinkPort, replay =>
            {
                replay.Send(said.AsSpan(0, first));
                if (first == hello)
                {
                    // The listener's answer begins: from here on it has other keys than then.
                    replay.Receive(5);
                }

                replay.Send(said.AsSpan(first));
                Assert.True(replay.IsClosedWithin(ClosedSeconds), "the connection is still open");
            });
        }

        pair.B.Daemon.WaitForOutput(Cause, 10);
        Assert.Single(pair.B.Daemon.Output.Split('\n'), line => line.Contains(Cause, StringComparison.Ordinal));
        RequireUnchanged(pair, before);
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        byte[] block = new byte[4096];
        client.Read(0, block);
        Assert.All(block, one => Assert.Equal((byte)'n', one));
        WaitUntilIdentical(pair);
    }

    private static void Write(Pair pair, char stamp, int length)
    {
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        byte[] block = new byte[64 << 10];
        block.AsSpan().Fill((byte)stamp);
        for (int at = 0; at < length; at += block.Length)
        {
            client.Write(at, block);
        }

        client.Flush();
    }

    private void AtB(Pair pair, int port, Action<RawConnection> action) => HostThread.Run(Lab.A, () =>
    {
        using RawConnection connection = RawConnection.ToTcp(pair.B.Host.DedicatedAddress!, port);
        action(connection);
    });

    /// <summary>Each refusal that b has told, of which port and with its cause.</summary>
    private static IEnumerable<string> Refusals(Pair pair) => Refusal().Matches(pair.B.Daemon.Output).Select(line => line.Value);

    // Where it happened stands in parentheses behind the cause, or before it.
    [GeneratedRegex(@" (attempt|is) refused: [^(\n]+")]
    private static partial Regex Refusal();

    private static void RequireUnchanged(Pair pair, ResourceView before)
    {
        ResourceView after = pair.B.Status();
        Assert.Equal(
            (before.Session, before.Generation, before.Role, true), (after.Session, after.Generation, after.Role, after.IsJoined));
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        client.Write(128L << 20, new byte[4096]);
        client.Flush();
    }

    // Records of TLS (RFC 8446, section 5.1): kind, version, length; in them a handshake message: kind, length.
    private static IEnumerable<(string Name, byte[] Bytes)> Lies()
    {
        yield return ("a record longer than any may be", [0x16, 3, 1, 0xff, 0xff, 1, .. new byte[100]]);
        yield return ("a record that never comes", [0x16, 3, 1, 0x40, 0, 1, 0]);
        yield return ("records of nothing", [.. Enumerable.Repeat<byte[]>([0x16, 3, 1, 0, 0], 10_000).SelectMany(one => one)]);
        yield return ("a hello of 16 MiB", AHello(0xff_ffff, 1 << 20));
        yield return ("a hello whose parts are longer than it", AHello(200, 200));
    }

    private static byte[] AHello(int length, int sent)
    {
        const int MostInRecord = 16 << 10;
        byte[] message =
            [1, (byte)(length >> 16), (byte)(length >> 8), (byte)length, 3, 3, .. Enumerable.Repeat((byte)0xff, sent - 2)];
        return [.. message.Chunk(MostInRecord).SelectMany(
            part => (byte[])[0x16, 3, 1, (byte)(part.Length >> 8), (byte)part.Length, .. part])];
    }
}
