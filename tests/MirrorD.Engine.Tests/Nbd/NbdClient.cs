using System.Buffers.Binary;
using System.Text;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Nbd;

/// <summary>One reply to an option.</summary>
public sealed record OptionAnswer(NbdOption Option, NbdOptionReply Reply, byte[] Data)
{
    public string Text => Encoding.UTF8.GetString(Data);
}

/// <summary>A whole reply to a request, gathered from one simple reply or from all its chunks.</summary>
public sealed class Answer
{
    public ulong Cookie { get; init; }

    public NbdError Error { get; set; }

    public string ErrorText { get; set; } = "";

    public bool IsSimple { get; init; }

    /// <summary>Data chunks by offset.</summary>
    public SortedDictionary<long, byte[]> Chunks { get; } = [];

    public List<long> FailedOffsets { get; } = [];

    /// <summary>Error chunks that name no offset.</summary>
    public int WholeErrors { get; set; }

    public List<NbdExtent> Extents { get; } = [];

    public byte[] Data => [.. Chunks.Values.SelectMany(bytes => bytes)];
}

/// <summary>
/// Speaks NBD over an <see cref="NbdWire"/>, with nothing shared with the server but the formats.
/// </summary>
public sealed class NbdClient(NbdWire wire)
{
    private readonly Dictionary<ulong, int> _readLengths = [];
    private readonly Dictionary<ulong, Answer> _partial = [];
    private ulong _cookies = 0x1000;
    private bool _structured;

    public NbdWire Wire => wire;

    public NbdExportInfo Export { get; private set; }

    public void Greet(NbdHandshakeFlags flags = NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes)
    {
        Assert.True(NbdGreeting.TryDecode(wire.Take(NbdGreeting.SizeBytes, "of greeting"), out _));
        byte[] answer = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(answer, (uint)flags);
        wire.Send(answer);
    }

    public static byte[] OptionBytes(NbdOption option, params byte[] data)
    {
        byte[] bytes = new byte[NbdOptionHeader.SizeBytes + data.Length];
        new NbdOptionHeader(option, (uint)data.Length).Encode(bytes);
        data.CopyTo(bytes, NbdOptionHeader.SizeBytes);
        return bytes;
    }

    public static byte[] Text(string text) =>
        [.. UInt32((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] UInt32(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] GoData(string name, params NbdInfoType[] wanted) =>
        [.. Text(name), (byte)(wanted.Length >> 8), (byte)wanted.Length,
            .. wanted.SelectMany(type => new[] { (byte)((int)type >> 8), (byte)type })];

    public static byte[] ContextData(string name, params string[] queries) =>
        [.. Text(name), .. UInt32((uint)queries.Length), .. queries.SelectMany(Text)];

    /// <summary>Sends an option and takes replies up to the last one.</summary>
    public List<OptionAnswer> Ask(NbdOption option, params byte[] data)
    {
        wire.Send(OptionBytes(option, data));
        var answers = new List<OptionAnswer>();
        do
        {
            answers.Add(TakeOptionAnswer());
            Assert.Equal(option, answers[^1].Option);
        }
        while (answers[^1].Reply
            is NbdOptionReply.Server or NbdOptionReply.Info or NbdOptionReply.MetaContext);
        return answers;
    }

    public OptionAnswer TakeOptionAnswer()
    {
        byte[] bytes = wire.Take(NbdOptionReplyHeader.SizeBytes, "of an option reply");
        Assert.True(NbdOptionReplyHeader.TryDecode(bytes, out NbdOptionReplyHeader header), "magic");
        byte[] data = wire.Take((int)header.LengthBytes, "of option reply data");
        return new OptionAnswer(header.Option, header.Reply, data);
    }

    public void Open(bool structured, bool allocation, string name)
    {
        if (structured)
        {
            Assert.Equal(NbdOptionReply.Ack, Ask(NbdOption.StructuredReply).Single().Reply);
            _structured = true;
        }

        if (allocation)
        {
            Assert.Equal(2, Ask(NbdOption.SetMetaContext, ContextData(name, "base:allocation")).Count);
        }

        List<OptionAnswer> go = Ask(NbdOption.Go, GoData(name));
        Assert.True(go[^1].Reply == NbdOptionReply.Ack, go[^1].Text);
        Export = NbdExportInfo.Decode(go[0].Data.AsSpan(2));
    }

    /// <summary>Sends a request without waiting for its reply; gives its cookie.</summary>
    public ulong Send(
        NbdCommand command, ulong offset = 0, uint length = 0, NbdCommandFlags flags = 0, byte[]? data = null)
    {
        ulong cookie = ++_cookies;
        if (command == NbdCommand.Read)
        {
            _readLengths[cookie] = (int)Math.Min(length, int.MaxValue);
        }

        wire.Send(RequestBytes(command, cookie, offset, length, flags), data ?? []);
        return cookie;
    }

    public static byte[] RequestBytes(
        NbdCommand command, ulong cookie, ulong offset, uint length, NbdCommandFlags flags = 0)
    {
        byte[] bytes = new byte[NbdRequestHeader.SizeBytes];
        new NbdRequestHeader(flags, command, cookie, offset, length).Encode(bytes);
        return bytes;
    }

    public Answer Call(
        NbdCommand command, ulong offset = 0, uint length = 0, NbdCommandFlags flags = 0, byte[]? data = null)
    {
        ulong cookie = Send(command, offset, length, flags, data);
        Answer answer = TakeAnswer();
        Assert.Equal(cookie, answer.Cookie);
        return answer;
    }

    public NbdError Write(long offset, byte[] data, NbdCommandFlags flags = 0) =>
        Call(NbdCommand.Write, (ulong)offset, (uint)data.Length, flags, data).Error;

    public byte[] Read(long offset, int length)
    {
        Answer answer = Call(NbdCommand.Read, (ulong)offset, (uint)length);
        Assert.Equal(NbdError.None, answer.Error);
        return answer.Data;
    }

    /// <summary>Takes chunks and simple replies until some request is answered as a whole.</summary>
    public Answer TakeAnswer()
    {
        while (true)
        {
            byte[] magic = wire.Take(4, "of a reply's magic");
            Answer? whole = BinaryPrimitives.ReadUInt32BigEndian(magic) == NbdMagic.SimpleReply
                ? TakeSimple(magic)
                : TakeChunk(magic);
            if (whole is not null)
            {
                return whole;
            }
        }
    }

    private Answer TakeSimple(byte[] magic)
    {
        byte[] bytes = [.. magic, .. wire.Take(NbdSimpleReplyHeader.SizeBytes - 4, "of a simple reply")];
        Assert.True(NbdSimpleReplyHeader.TryDecode(bytes, out NbdSimpleReplyHeader header));
        var answer = new Answer { Cookie = header.Cookie, Error = header.Error, IsSimple = true };
        if (_readLengths.Remove(header.Cookie, out int length))
        {
            Assert.False(_structured, "a simple reply to a read although structured ones were agreed on");
            if (header.Error == NbdError.None)
            {
                answer.Chunks[0] = wire.Take(length, "of read data");
            }
        }

        return answer;
    }

    private Answer? TakeChunk(byte[] magic)
    {
        byte[] bytes = [.. magic, .. wire.Take(NbdChunkHeader.SizeBytes - 4, "of a chunk")];
        Assert.True(NbdChunkHeader.TryDecode(bytes, out NbdChunkHeader header), "magic of a chunk");
        Assert.True(_structured, "a structured reply that was not agreed on");
        byte[] payload = wire.Take((int)header.LengthBytes, $"of a {header.Type} chunk's payload");
        if (!_partial.TryGetValue(header.Cookie, out Answer? answer))
        {
            answer = new Answer { Cookie = header.Cookie };
            _partial.Add(header.Cookie, answer);
        }

        AddChunk(answer, header, payload);
        if ((header.Flags & NbdChunkFlags.Done) == 0)
        {
            return null;
        }

        _partial.Remove(header.Cookie);
        if (_readLengths.Remove(header.Cookie, out int length) && answer.Error == NbdError.None)
        {
            Assert.Equal(length, answer.Chunks.Values.Sum(chunk => chunk.Length));
        }

        return answer;
    }

    private static void AddChunk(Answer answer, NbdChunkHeader header, byte[] payload)
    {
        switch (header.Type)
        {
            case NbdChunkType.None:
                Assert.Empty(payload);
                break;
            case NbdChunkType.OffsetData:
                Assert.True(payload.Length > 8, "an empty data chunk");
                answer.Chunks.Add(BinaryPrimitives.ReadInt64BigEndian(payload), payload[8..]);
                break;
            case NbdChunkType.BlockStatus:
                Assert.Equal(1u, BinaryPrimitives.ReadUInt32BigEndian(payload));
                for (int at = 4; at < payload.Length; at += NbdExtent.SizeBytes)
                {
                    answer.Extents.Add(NbdExtent.Decode(payload.AsSpan(at)));
                }

                break;
            case NbdChunkType.Error:
            case NbdChunkType.ErrorOffset:
                answer.Error = (NbdError)BinaryPrimitives.ReadUInt32BigEndian(payload);
                int textBytes = BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(4));
                answer.ErrorText = Encoding.UTF8.GetString(payload.AsSpan(6, textBytes));
                answer.WholeErrors += header.Type == NbdChunkType.Error ? 1 : 0;
                int left = payload.Length - 6 - textBytes;
                Assert.Equal(header.Type == NbdChunkType.ErrorOffset ? 8 : 0, left);
                if (left == 8)
                {
                    ReadOnlySpan<byte> offset = payload.AsSpan(6 + textBytes);
                    answer.FailedOffsets.Add(BinaryPrimitives.ReadInt64BigEndian(offset));
                }

                break;
            case NbdChunkType.OffsetHole:
            default:
                Assert.Fail($"unexpected chunk {header.Type}");
                break;
        }
    }
}
