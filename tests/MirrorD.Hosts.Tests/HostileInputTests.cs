using System.Buffers.Binary;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// Bad bytes on every port: a clear log line, that connection closed, everybody else served, no memory
/// kept.
/// </summary>
public sealed class HostileInputTests : PairTest
{
    private const int PeerPort = 7780;
    private const int Warm = 1_000;
    private const int Many = 100_000;
    private const long MostGrowthBytes = 5 << 20;
    private const ulong OptionMagic = 0x49484156454f5054;

    [HostFact]
    public void Each_malformed_nbd_frame_ends_its_own_connection_only_and_is_logged()
    {
        Pair pair = StartPair();
        string socket = pair.A.Export();
        using NbdConnection neighbour = NbdConnection.Connect(socket);
        byte[] block = new byte[4096];
        foreach ((string name, byte[] bytes) in MalformedNbd())
        {
            int logged = pair.A.Daemon.Output.Length;
            using (RawConnection bad = RawConnection.ToUnix(socket))
            {
                bad.Receive(18);
                bad.Send(bytes);
                Assert.True(bad.IsClosedWithin(10), $"{name}: the connection is still open");
            }

            Wait.For($"a log line about: {name}", 10, () => pair.A.Daemon.Output.Length > logged);
            neighbour.Write(0, block);
        }
    }

    [HostFact]
    public void Requests_out_of_bounds_are_refused_and_the_connection_goes_on()
    {
        Pair pair = StartPair();
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        long end = client.LengthBytes;
        const uint InvalidArgument = 22;
        const uint NoSpace = 28;

        Assert.Equal(InvalidArgument, Error(client, NbdConnection.ReadCommand, 0, end, 4096));
        Assert.Equal(NoSpace, Error(client, NbdConnection.WriteCommand, 0, end, 4096));
        Assert.Equal(NoSpace, Error(client, NbdConnection.WriteCommand, 0, end - 2048, 4096));
        Assert.Equal(InvalidArgument, Error(client, NbdConnection.ReadCommand, 0, long.MaxValue - 100, 4096));
        Assert.Equal(InvalidArgument, Error(client, 99, 0, 0, 0));
        Assert.Equal(InvalidArgument, Error(client, NbdConnection.ReadCommand, 0x8000, 0, 4096));
        byte[] block = new byte[4096];
        client.Write(0, block);
        client.Read(0, block);
    }

    [HostFact]
    public void A_peer_of_another_cluster_is_refused_with_a_clear_line_and_the_primary_is_not_disturbed()
    {
        var pair = new Pair(Lab, new PairOptions { OnPeerLoss = "continue" });
        pair.StartJoinedWithPrimaryA();
        pair.B.Daemon.Kill();
        Directory.Delete(Path.Combine(pair.B.StateDirectory, "identity"), recursive: true);
        Pair.MakeCluster(pair.B);
        pair.B.StartAndWait();

        pair.A.Daemon.WaitForOutput("certificate is not from this cluster's authority", 30);
        pair.B.Daemon.WaitForOutput("does not trust this node's certificate", 30);
        Wait.While(
            "the pair is not joined", 3,
            () => pair.A.Status().Link != "Joined" && pair.B.Status().Link != "Joined");
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        client.Write(0, new byte[4096]);
        client.Flush();
    }

    [HostFact]
    public void A_stranger_without_TLS_is_refused_with_a_clear_line_and_the_pair_is_not_disturbed()
    {
        Pair pair = StartPair();
        HostThread.Run(Lab.A, () =>
        {
            using RawConnection stranger = RawConnection.ToTcp(pair.B.Host.DedicatedAddress!, PeerPort);
            stranger.Send("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            Assert.True(stranger.IsClosedWithin(10), "the connection is still open");
        });
        pair.B.Daemon.WaitForOutput("the other side does not speak TLS 1.3", 10);

        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        client.Write(0, new byte[4096]);
        client.Flush();
        Assert.True(pair.A.Status().IsJoined);
    }

    [HostFact]
    public void After_100000_bad_inputs_the_daemon_has_no_more_memory_than_after_1000()
    {
        // Only b, which listens for its peer: a joined link would take no further connection.
        var pair = new Pair(Lab, new PairOptions());
        pair.StartJoinedWithPrimaryA();
        pair.B.WaitFor("joined", 20, view => view.IsJoined);
        string[] sockets = [pair.A.Export(), pair.A.ControlSocket];
        var random = new Random(3);

        SendRandom(pair, sockets, Warm, random);
        long before = pair.A.Daemon.ResidentBytes;
        long peerBefore = pair.B.Daemon.ResidentBytes;
        SendRandom(pair, sockets, Many - Warm, random);
        long grown = pair.A.Daemon.ResidentBytes - before;
        long peerGrown = pair.B.Daemon.ResidentBytes - peerBefore;

        Assert.True(grown <= MostGrowthBytes, $"a grew by {grown} bytes to {before + grown}");
        Assert.True(peerGrown <= MostGrowthBytes, $"b grew by {peerGrown} bytes to {peerBefore + peerGrown}");
        pair.WaitUntilJoined(30);
        using NbdConnection client = NbdConnection.Connect(pair.A.Export());
        client.Write(0, new byte[4096]);
    }

    // A third each: NBD, control API, the peer's port. Each is closed before the next comes.
    private void SendRandom(Pair pair, string[] sockets, int count, Random random)
    {
        byte[] bytes = new byte[200];
        HostThread.Run(Lab.A, () =>
        {
            for (int input = 0; input < count; input++)
            {
                random.NextBytes(bytes);
                Span<byte> some = bytes.AsSpan(0, random.Next(1, bytes.Length));
                using RawConnection connection = (input % 3) switch
                {
                    0 => RawConnection.ToUnix(sockets[0]),
                    1 => RawConnection.ToUnix(sockets[1]),
                    _ => RawConnection.ToTcp(pair.B.Host.DedicatedAddress!, PeerPort),
                };
                connection.Send(some);
                connection.EndSending();
                Assert.True(connection.IsClosedWithin(10), $"input {input} left its connection open");
            }
        });
    }

    private static uint Error(NbdConnection client, ushort command, ushort flags, long offset, int length)
    {
        byte[] payload = command == NbdConnection.WriteCommand ? new byte[length] : [];
        client.Send(command, flags, 5, offset, length, payload);
        return client.ReceiveReply().Error;
    }

    private static IEnumerable<(string Name, byte[] Bytes)> MalformedNbd()
    {
        yield return ("client flags that nobody knows", [0xff, 0xff, 0xff, 0xff]);
        yield return ("no magic in an option", [0, 0, 0, 3, .. new byte[16]]);
        yield return ("an option of 4 GiB", [0, 0, 0, 3, .. Option(3, 0xffffffff)]);
        yield return ("a request without magic", [.. Go(), .. new byte[28]]);
        yield return ("a write of 1 GiB", [.. Go(), .. Request(1, 1 << 30)]);
    }

    private static byte[] Go() => [0, 0, 0, 3, .. Option(7, 6), 0, 0, 0, 0, 0, 0];

    private static byte[] Option(uint option, uint lengthBytes)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(header, OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(8), option);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(12), lengthBytes);
        return header;
    }

    private static byte[] Request(ushort command, uint lengthBytes)
    {
        byte[] header = new byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(header, 0x25609513);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), command);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(24), lengthBytes);
        return header;
    }
}
