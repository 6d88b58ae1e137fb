using System.Buffers.Binary;
using System.Net.Sockets;

namespace MirrorD.Lab.Clients;

/// <summary>
/// A plain NBD client of the tests' own: fixed newstyle, NBD_OPT_GO, simple replies, pipelining.
/// Independent of the product's code. Source: NetworkBlockDevice/nbd, doc/proto.md.
/// </summary>
public sealed class NbdConnection : IDisposable
{
    public const ushort ReadCommand = 0;
    public const ushort WriteCommand = 1;
    public const ushort DisconnectCommand = 2;
    public const ushort FlushCommand = 3;
    public const ushort ForceUnitAccess = 1;

    private const ulong ServerMagic = 0x4e42444d41474943;
    private const ulong OptionMagic = 0x49484156454f5054;
    private const ulong OptionReplyMagic = 0x0003e889045565a9;
    private const uint RequestMagic = 0x25609513;
    private const uint SimpleReplyMagic = 0x67446698;
    private const uint GoOption = 7;
    private const uint AcknowledgeReply = 1;
    private const uint InfoReply = 3;

    private readonly NetworkStream _stream;

    private NbdConnection(NetworkStream stream) => _stream = stream;

    /// <summary>Size of the export in bytes.</summary>
    public long LengthBytes { get; private set; }

    /// <summary>NBD_FLAG_* of the transmission phase.</summary>
    public ushort Flags { get; private set; }

    /// <summary>Connects to an export.</summary>
    /// <exception cref="IOException">The server went away or refused the export.</exception>
    public static NbdConnection Connect(string socketPath, string exportName = "", double timeoutSeconds = 20)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new IOException($"{socketPath}: {exception.Message}", exception);
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        stream.ReadTimeout = (int)(timeoutSeconds * 1000);
        var connection = new NbdConnection(stream);
        try
        {
            connection.Negotiate(exportName);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request; its reply comes later.</summary>
    public void Send(
        ushort command, ushort flags, ulong cookie, long offset, int length,
        ReadOnlySpan<byte> payload = default)
    {
        byte[] frame = new byte[28 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(4), flags);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(6), command);
        BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(8), cookie);
        BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(16), offset);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(24), length);
        payload.CopyTo(frame.AsSpan(28));
        _stream.Write(frame);
    }

    /// <summary>
    /// The next reply: its cookie and error (0 is success). A successful read's data follows on the wire.
    /// </summary>
    public (ulong Cookie, uint Error) ReceiveReply()
    {
        Span<byte> reply = stackalloc byte[16];
        _stream.ReadExactly(reply);
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(reply);
        return magic == SimpleReplyMagic
            ? (Cookie: BinaryPrimitives.ReadUInt64BigEndian(reply[8..]),
                Error: BinaryPrimitives.ReadUInt32BigEndian(reply[4..]))
            : throw new IOException($"not a simple reply: magic 0x{magic:x8}");
    }

    /// <summary>Reads, alone on the connection.</summary>
    /// <exception cref="IOException">The server answered with an error.</exception>
    public void Read(long offset, Span<byte> into)
    {
        Send(ReadCommand, 0, 1, offset, into.Length);
        RequireSuccess(ReceiveReply().Error, "read");
        _stream.ReadExactly(into);
    }

    /// <summary>Writes, alone on the connection.</summary>
    /// <exception cref="IOException">The server answered with an error.</exception>
    public void Write(long offset, ReadOnlySpan<byte> data, ushort flags = 0)
    {
        Send(WriteCommand, flags, 2, offset, data.Length, data);
        RequireSuccess(ReceiveReply().Error, "write");
    }

    /// <summary>Flushes, alone on the connection.</summary>
    /// <exception cref="IOException">The server answered with an error.</exception>
    public void Flush()
    {
        Send(FlushCommand, 0, 3, 0, 0);
        RequireSuccess(ReceiveReply().Error, "flush");
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static void RequireSuccess(uint error, string what)
    {
        if (error != 0)
        {
            throw new IOException($"{what} ended with NBD error {error}");
        }
    }

    private void Negotiate(string exportName)
    {
        Span<byte> greeting = stackalloc byte[18];
        _stream.ReadExactly(greeting);
        if (BinaryPrimitives.ReadUInt64BigEndian(greeting) != ServerMagic
            || BinaryPrimitives.ReadUInt64BigEndian(greeting[8..]) != OptionMagic)
        {
            throw new IOException("not a newstyle NBD server");
        }

        // Client flags: fixed newstyle, no zeroes. Then one option.
        byte[] name = System.Text.Encoding.UTF8.GetBytes(exportName);
        byte[] options = new byte[4 + 16 + 4 + name.Length + 2];
        BinaryPrimitives.WriteUInt32BigEndian(options, 3);
        BinaryPrimitives.WriteUInt64BigEndian(options.AsSpan(4), OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(12), GoOption);
        BinaryPrimitives.WriteInt32BigEndian(options.AsSpan(16), 4 + name.Length + 2);
        BinaryPrimitives.WriteInt32BigEndian(options.AsSpan(20), name.Length);
        name.CopyTo(options.AsSpan(24));
        _stream.Write(options);

        Span<byte> header = stackalloc byte[20];
        while (true)
        {
            _stream.ReadExactly(header);
            if (BinaryPrimitives.ReadUInt64BigEndian(header) != OptionReplyMagic)
            {
                throw new IOException("not an NBD option reply");
            }

            uint type = BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
            byte[] data = new byte[BinaryPrimitives.ReadInt32BigEndian(header[16..])];
            _stream.ReadExactly(data);
            if (type == AcknowledgeReply)
            {
                return;
            }

            if (type != InfoReply)
            {
                string text = System.Text.Encoding.UTF8.GetString(data);
                throw new IOException($"the export \"{exportName}\" was refused: 0x{type:x8} {text}");
            }

            if (BinaryPrimitives.ReadUInt16BigEndian(data) == 0)
            {
                LengthBytes = BinaryPrimitives.ReadInt64BigEndian(data.AsSpan(2));
                Flags = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(10));
            }
        }
    }
}
