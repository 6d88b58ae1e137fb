using System.Net.Sockets;
using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using MirrorD.Testing;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>What only the real loop can show: allocation, and clients that come and go quickly.</summary>
[Trait("Level", "Hosts")]
public sealed class RealLoopTests
{
    private const int Block = 4096;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_request_allocates_nothing(bool structured, bool withTls)
    {
        using var server = new RealServer(8 << 20, withTls);
        server.Volume.Checks = false;
        using Socket client = Open(server, structured, withTls);
        Exchange(client, rounds: 200, structured, withTls);
        long before = 0;
        long after = 0;
        server.OnLoop(() => before = GC.GetAllocatedBytesForCurrentThread());
        const int Rounds = 1000;
        Exchange(client, Rounds, structured, withTls);
        server.OnLoop(() => after = GC.GetAllocatedBytesForCurrentThread());
        // 16 writes, 16 reads and a flush a round: less than a byte each. The two samples themselves need a few
        // hundred bytes, and a collection may count up to 8 KiB that the thread has not used yet.
        Assert.True(after - before < 16_384, $"{after - before} bytes for {Rounds * 33} requests");
    }

    [Fact]
    public void Thousands_of_bad_clients_leave_a_good_one_served_and_nothing_behind()
    {
        using var server = new RealServer(8 << 20);
        using Socket good = Open(server, structured: true);
        var random = new Random(1);
        for (int i = 0; i < 3000; i++)
        {
            using Socket bad = Connect(server);
            byte[] noise = new byte[random.Next(1, 200)];
            random.NextBytes(noise);
            Receive(bad, NbdGreeting.SizeBytes);
            bad.Send(i % 3 == 0 ? noise : [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 7, .. noise]);
            if (i % 100 == 0)
            {
                Exchange(good, rounds: 1, structured: true);
            }
        }

        good.Send(NbdClient.RequestBytes(NbdCommand.Disconnect, 1, 0, 0));
        server.UntilEmpty();
        Assert.InRange(server.Events.Count, 2900, 3010);
        Assert.All(server.Events, e => Assert.True(
            e.Kind is not NbdEventKind.AcceptFailed && e.Text.Length < 200, e.ToString()));
    }

    private static Socket Connect(RealServer server)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = 60_000,
            SendTimeout = 60_000,
        };
        socket.Connect(new UnixDomainSocketEndPoint(server.Socket));
        return socket;
    }

    private static Socket Open(RealServer server, bool structured, bool withTls = false)
    {
        Socket socket = Connect(server);
        Receive(socket, NbdGreeting.SizeBytes);
        socket.Send(NbdClient.UInt32(3));
        if (withTls)
        {
            socket.Send(NbdClient.OptionBytes(NbdOption.StartTls));
            Receive(socket, NbdOptionReplyHeader.SizeBytes);
            socket.Send("backup\n"u8);
            Receive(socket, ToldName.Welcome.Length);
        }

        if (structured)
        {
            socket.Send(OnTheWire(NbdClient.OptionBytes(NbdOption.StructuredReply), withTls));
            Receive(socket, NbdOptionReplyHeader.SizeBytes);
        }

        socket.Send(OnTheWire(NbdClient.OptionBytes(NbdOption.Go, NbdClient.GoData("")), withTls));
        Receive(socket, (2 * NbdOptionReplyHeader.SizeBytes) + 2 + NbdExportInfo.SizeBytes);
        return socket;
    }

    private static byte[] OnTheWire(byte[] bytes, bool withTls) => withTls ? ToldName.Masked(bytes) : bytes;

    private static void Exchange(Socket socket, int rounds, bool structured, bool withTls = false)
    {
        const int Depth = 16;
        byte[] writes = OnTheWire([.. Enumerable.Range(0, Depth).SelectMany(WriteOf)], withTls);
        byte[] reads = OnTheWire([.. Enumerable.Range(0, Depth).SelectMany(ReadOf)], withTls);
        byte[] flush = OnTheWire(NbdClient.RequestBytes(NbdCommand.Flush, 1, 0, 0), withTls);
        int header = structured ? NbdChunkHeader.SizeBytes + NbdChunkHeader.DataOffsetSizeBytes : 16;
        for (int i = 0; i < rounds; i++)
        {
            socket.Send(writes);
            Receive(socket, Depth * NbdSimpleReplyHeader.SizeBytes);
            socket.Send(reads);
            Receive(socket, Depth * (header + Block));
            socket.Send(flush);
            Receive(socket, NbdSimpleReplyHeader.SizeBytes);
        }

        static byte[] WriteOf(int i) =>
        [
            .. NbdClient.RequestBytes(NbdCommand.Write, (ulong)i, (ulong)(i * Block), Block),
            .. new byte[Block],
        ];

        static byte[] ReadOf(int i) =>
            NbdClient.RequestBytes(NbdCommand.Read, (ulong)i, (ulong)(i * Block), Block);
    }

    private static void Receive(Socket socket, int bytes)
    {
        byte[] into = new byte[bytes];
        for (int got = 0; got < bytes;)
        {
            int now = socket.Receive(into, got, bytes - got, SocketFlags.None);
            Assert.True(now > 0, $"closed by the server after {got} of {bytes} bytes");
            got += now;
        }
    }
}
