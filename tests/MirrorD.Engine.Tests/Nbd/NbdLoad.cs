using System.Buffers.Binary;
using System.Net.Sockets;
using MirrorD.Core;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>
/// A client over a real socket that keeps 32 requests of 4 KiB in flight, an eighth of them reads, and allocates nothing
/// itself. Writes go to a small area, and one request in <see cref="RequestsPerColdWrite"/> to an extent that was cold.
/// </summary>
internal sealed class NbdLoad : IDisposable
{
    /// <summary>Requests between two writes to a cold extent.</summary>
    public const int RequestsPerColdWrite = 4 * Depth;

    private const int Depth = 32;
    private const int Reads = 4;
    private const int Block = 4096;
    private const int BatchesPerFlush = 64;
    private const int RequestBytes = NbdRequestHeader.SizeBytes;
    private const int ReplyBytes = NbdSimpleReplyHeader.SizeBytes;
    private const int OffsetAt = 16;
    private const int ErrorAt = 4;
    private const int CookieAt = 8;
    private const ulong FirstRead = 1000;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
    {
        ReceiveTimeout = 60_000,
        SendTimeout = 60_000,
    };

    private readonly byte[] _requests;
    private readonly byte[] _flush = NbdClient.RequestBytes(NbdCommand.Flush, 1, 0, 0);
    private readonly byte[] _replies = new byte[(Depth * ReplyBytes) + (Reads * Block)];
    private readonly long _extents;
    private long _extent;
    private uint _state = 1;
    private int _batches;

    /// <summary>Connects.</summary>
    /// <param name="path">Socket of the only export.</param>
    /// <param name="lengthBytes">Its size.</param>
    public NbdLoad(string path, long lengthBytes)
    {
        _extents = lengthBytes / Limits.ExtentBytes;
        _requests =
        [
            .. Enumerable.Range(0, Depth - Reads).SelectMany(i => (byte[])
                [.. NbdClient.RequestBytes(NbdCommand.Write, (ulong)i, 0, Block), .. Enumerable.Repeat((byte)i, Block)]),
            .. Enumerable.Range(0, Reads).SelectMany(
                i => NbdClient.RequestBytes(NbdCommand.Read, FirstRead + (ulong)i, 0, Block)),
        ];
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        Receive(NbdGreeting.SizeBytes);
        _socket.Send(NbdClient.UInt32(3));
        _socket.Send(NbdClient.OptionBytes(NbdOption.Go, NbdClient.GoData("")));
        Receive((2 * NbdOptionReplyHeader.SizeBytes) + 2 + NbdExportInfo.SizeBytes);
    }

    /// <summary>Carries out at least so many requests.</summary>
    public void Run(int requests)
    {
        for (int done = 0; done < requests; done += Depth)
        {
            bool isCold = done % RequestsPerColdWrite == 0;
            RunBatch(isCold ? 1 : 0);
        }
    }

    /// <summary>Writes to each extent.</summary>
    public void TouchAll()
    {
        for (long touched = 0; touched < _extents; touched += Depth - Reads)
        {
            RunBatch(Depth - Reads);
        }
    }

    public void Dispose() => _socket.Dispose();

    private void RunBatch(int coldWrites)
    {
        int at = 0;
        for (int i = 0; i < Depth; i++)
        {
            _state = (_state * 1664525) + 1013904223;
            long offset = _state / 65536 % (16 << 20 >> 12) * Block;
            if (i < coldWrites)
            {
                offset = _extent++ % _extents * Limits.ExtentBytes;
            }

            BinaryPrimitives.WriteInt64BigEndian(_requests.AsSpan(at + OffsetAt), offset);
            at += RequestBytes + (i < Depth - Reads ? Block : 0);
        }

        Send(_requests);
        Receive(_replies.Length);
        for (int i = 0, from = 0; i < Depth; i++)
        {
            from += CheckReply(_replies.AsSpan(from));
        }

        if (++_batches % BatchesPerFlush == 0)
        {
            Send(_flush);
            Receive(ReplyBytes);
            CheckReply(_replies);
        }
    }

    private static int CheckReply(ReadOnlySpan<byte> reply)
    {
        uint error = BinaryPrimitives.ReadUInt32BigEndian(reply[ErrorAt..]);
        if (error != 0)
        {
            Assert.Fail($"a request failed with {error}");
        }

        return ReplyBytes + (BinaryPrimitives.ReadUInt64BigEndian(reply[CookieAt..]) >= FirstRead ? Block : 0);
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[_socket.Send(bytes, SocketFlags.None)..];
        }
    }

    private void Receive(int bytes)
    {
        for (int got = 0; got < bytes;)
        {
            int now = _socket.Receive(_replies.AsSpan(got, bytes - got), SocketFlags.None);
            if (now == 0)
            {
                Assert.Fail($"closed by the server after {got} of {bytes} bytes");
            }

            got += now;
        }
    }
}
