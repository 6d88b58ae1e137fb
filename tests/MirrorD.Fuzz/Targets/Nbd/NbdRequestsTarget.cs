using System.Buffers.Binary;
using MirrorD.Formats.Nbd;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Nbd;

/// <summary>
/// Requests of an NBD client that has opened an export. The first byte of the input says how: bit 0 structured replies, bit
/// 1 with the allocation context, bit 2 the export that is read only, bit 3 a large one, bits 4 and 5 how many zeroes follow
/// the rest.
/// </summary>
internal sealed class NbdRequestsTarget : FuzzTarget
{
    private const int StructuredMagic = 0x668e33ef;
    private const int SimpleMagic = 0x67446698;

    private const int MostChunkBytes = 33 << 20;

    private const int ZeroesBytes = 100 * 512;

    private NbdHost? _host;

    public override string Name => "nbd-requests";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Engine/Nbd/NbdSession.Requests.cs", "src/MirrorD.Engine/Nbd/NbdSession.Input.cs",
        "src/MirrorD.Engine/Nbd/NbdSession.Ranges.cs", "src/MirrorD.Engine/Nbd/NbdSession.Writes.cs",
        "src/MirrorD.Engine/Nbd/NbdSession.Reads.cs", "src/MirrorD.Engine/Nbd/RequestCheck.cs",
        "src/MirrorD.Formats/Nbd/NbdRequestHeader.cs",
    ];

    public override int MostBytes => 48 * 1024;

    public override IReadOnlyList<int> Fields => [1, 5, 7, 9, 17, 25];

    public override int RecordBytes => NbdRequestHeader.SizeBytes;

    public override IReadOnlyList<byte[]> Words =>
        [.. Enum.GetValues<NbdCommand>().Select(command => Request(command, 0, 4096)), new byte[512], [0, 0x20, 0, 0],
            [0, 0x40, 0, 0]];

    public override long MostAllocatedBytes(int inputBytes) => 64 * 1024 * 1024;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] write = [.. Request(NbdCommand.Write, 512, 512), .. new byte[512]];
        byte[] some =
        [
            .. Request(NbdCommand.Read, 0, 4096), .. write, .. Request(NbdCommand.Flush, 0, 0),
                .. Request(NbdCommand.Trim, 0, 4096),
            .. Request(NbdCommand.WriteZeroes, 4096, 8192), .. Request(NbdCommand.Cache, 0, 4096),
            .. Request(NbdCommand.BlockStatus, 0, 1 << 20), .. Request(NbdCommand.Read, 4 << 20, 512),
            .. Request(NbdCommand.Read, 1, 512), .. Request(NbdCommand.Disconnect, 0, 0),
        ];
        for (byte how = 0; how < 8; how++)
        {
            yield return [how, .. some];
        }

        foreach (NbdCommandFlags flag in Enum.GetValues<NbdCommandFlags>())
        {
            yield return [3, .. Enum.GetValues<NbdCommand>().SelectMany(command => Request(command, 0, 512, flag))];
        }

        foreach (NbdCommand command in Enum.GetValues<NbdCommand>().Where(each => each != NbdCommand.Disconnect))
        {
            yield return
            [
                3, .. Enumerable.Range(0, 9).SelectMany(block => Request(command, (3 << 20) + 4096 * (ulong)block, 4096)
                    .Concat(new byte[command == NbdCommand.Write ? 4096 : 0])),
            ];
        }

        yield return [3, .. Request(NbdCommand.BlockStatus, 1 << 20, 3 << 20),
            .. Request(NbdCommand.BlockStatus, 2 << 20, 4096)];
        yield return [0, .. Request(NbdCommand.BlockStatus, 0, 4096), .. Request(NbdCommand.Read, (3 << 20) + 4096, 4096)];
        yield return [4, .. Request(NbdCommand.WriteZeroes, 512, 512), .. Request(NbdCommand.Read, 512, 512)];
        foreach (byte how in (byte[])[0, 1, 3])
        {
            yield return [how, .. Request(NbdCommand.Read, 0, 3 << 20)];
            yield return [how, .. Request(NbdCommand.Read, 2 << 20, 2 << 20)];
            yield return [(byte)(how | 0x10), .. Request(NbdCommand.Write, 512, ZeroesBytes)];
            yield return [(byte)(how | 0x20), .. Request(NbdCommand.Write, 1, ZeroesBytes),
                .. Request(NbdCommand.Write, 0, ZeroesBytes)];
            yield return [(byte)(how | 0x30), .. Request(NbdCommand.Write, 0, 3 * ZeroesBytes)];
            yield return [(byte)(how | 0x30), .. Request(NbdCommand.Write, 1, 2 * ZeroesBytes)];
            yield return [(byte)(how | 0x20), .. Request(NbdCommand.Write, 0, 3 * ZeroesBytes)];
        }

        yield return [3, .. Request(NbdCommand.BlockStatus, 0, 2 << 20), .. Request(NbdCommand.BlockStatus, 3 << 20, 4096)];
        yield return [7, .. Request(NbdCommand.BlockStatus, 0, 1 << 20), .. Request(NbdCommand.Write, 0, 4096),
            .. new byte[4096]];
        yield return [11, .. Request(NbdCommand.Trim, 0, 80 << 20), .. Request(NbdCommand.WriteZeroes, 4096, 80 << 20)];
        yield return [1, .. Request(NbdCommand.Write, 0, (64 << 20) + 1)];
        yield return [3, .. Request(NbdCommand.Read, 0, 33 << 20), .. Request(NbdCommand.BlockStatus, 0, 0)];
        yield return [3, .. write, .. write[..300]];
        yield return [0, .. Request((NbdCommand)99, 0, 0), .. new byte[28]];
    }

    // The magic of each request, by the lengths that the writes state.
    public override byte[] FixUp(byte[] input)
    {
        for (long at = 1; at + NbdRequestHeader.SizeBytes <= input.Length;)
        {
            Span<byte> header = input.AsSpan((int)at, NbdRequestHeader.SizeBytes);
            BinaryPrimitives.WriteUInt32BigEndian(header, 0x25609513);
            bool writes = BinaryPrimitives.ReadUInt16BigEndian(header[6..]) == (ushort)NbdCommand.Write;
            at += NbdRequestHeader.SizeBytes + (writes ? BinaryPrimitives.ReadUInt32BigEndian(header[24..]) : 0);
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        byte how = input.Length == 0 ? (byte)0 : input[0];
        string name = (how & 12) switch { 0 => NbdHost.Plain, 8 => NbdHost.Large, _ => NbdHost.ReadOnly };
        byte[] handshake =
        [
            .. NbdHost.Number(3), .. (how & 1) == 0 ? [] : NbdHost.Option(NbdOption.StructuredReply),
            .. (how & 3) != 3 ? [] : NbdHost.Option(NbdOption.SetMetaContext, NbdHost.Contexts(name, "base:allocation")),
            .. NbdHost.Option(NbdOption.Go, NbdHost.Go(name)),
        ];
        try
        {
            _host = _host is null or { IsUsedUp: true } ? new NbdHost() : _host;
            byte[] answer = _host.Converse(handshake, input.Length == 0 ? [] : input[1..],
                new byte[(how >> 4 & 3) * ZeroesBytes]);
            if ((how & 1) == 1)
            {
                CheckReplies(AfterHandshake(answer), input.AsSpan(1));
            }
        }
        catch
        {
            _host = null;
            throw;
        }
    }

    private static ReadOnlySpan<byte> AfterHandshake(ReadOnlySpan<byte> answer)
    {
        answer = answer[18..];
        while (answer.Length >= 20 && BinaryPrimitives.ReadUInt64BigEndian(answer) == 0x3e889045565a9)
        {
            answer = answer[(20 + BinaryPrimitives.ReadInt32BigEndian(answer[16..]))..];
        }

        return answer;
    }

    // With structured replies each says how long it is.
    private static void CheckReplies(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> input)
    {
        // The last one is cut when the server closes the connection over what came behind it.
        while (answer.Length >= 20)
        {
            int magic = BinaryPrimitives.ReadInt32BigEndian(answer);
            BrokenProperty.Unless(magic is StructuredMagic or SimpleMagic, "a reply has its magic");
            ReadOnlySpan<byte> cookie = answer.Slice(8, 8);
            BrokenProperty.Unless(input.IndexOf(cookie) >= 0 || cookie.IndexOfAnyExcept((byte)0) < 0,
                "a reply has a cookie that was sent");
            int length = magic == SimpleMagic ? 0 : 4 + BinaryPrimitives.ReadInt32BigEndian(answer[16..]);
            BrokenProperty.Unless(length is >= 0 and <= MostChunkBytes, "a chunk has a limit");
            answer = answer[Math.Min(answer.Length, 16 + length)..];
        }
    }

    private static byte[] Request(NbdCommand command, ulong offset, uint length, NbdCommandFlags flags = 0)
    {
        byte[] bytes = new byte[NbdRequestHeader.SizeBytes];
        new NbdRequestHeader(flags, command, 0x0102030405060708, offset, length).Encode(bytes);
        return bytes;
    }
}
