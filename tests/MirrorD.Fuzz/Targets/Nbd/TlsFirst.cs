using System.Buffers.Binary;
using MirrorD.Formats.Nbd;
using MirrorD.Fuzz.Running;
using MirrorD.Testing;

namespace MirrorD.Fuzz.Targets.Nbd;

/// <summary>Inputs for a server that wants TLS first, and what it may say to them.</summary>
internal static class TlsFirst
{
    private const ulong ReplyMagic = 0x3e889045565a9;

    private static readonly byte[] s_startTls = NbdHost.Option(NbdOption.StartTls);

    /// <summary>Seeds.</summary>
    /// <param name="options">Well-formed options.</param>
    public static IEnumerable<byte[]> Seeds(byte[][] options)
    {
        byte[] begin = [.. "T"u8, .. NbdHost.Number(3)];
        byte[] known = [.. begin, .. s_startTls, .. "backup\n"u8];
        yield return [.. begin, .. options.Where(each => each != options[2]).SelectMany(each => each), .. s_startTls, .. "a\n"u8];
        yield return [.. known, .. options.SelectMany(each => each), .. NbdHost.Option(NbdOption.Go, NbdHost.Go(NbdHost.Plain))];
        yield return [.. known, .. s_startTls, .. NbdHost.Option(NbdOption.ExportName, [.. "mail/data"u8])];
        yield return [.. begin, .. s_startTls, .. "nobody\n"u8];
        yield return [.. begin, .. s_startTls, .. "!\n"u8];
        yield return [.. begin, .. s_startTls, .. new byte[17 << 10]];
        yield return [.. begin, .. NbdHost.Option(NbdOption.StartTls, 1), .. NbdHost.Option(NbdOption.Abort)];
        yield return [.. begin, .. NbdHost.Option(NbdOption.ExportName, [.. "mail/data"u8])];
        yield return [.. begin, .. Enumerable.Repeat(NbdHost.Option(NbdOption.List), 17).SelectMany(each => each)];
        yield return [.. begin, .. NbdHost.Option(NbdOption.List, new byte[(9 << 10) + 1])];
        yield return [.. begin, .. NbdHost.Option(NbdOption.List)[..^1]];
        yield return [.. begin, .. new byte[16]];
        yield return [.. "T"u8, .. NbdHost.Number(0)];
        yield return [.. "T"u8, .. NbdHost.Number(uint.MaxValue)];
        yield return [.. "U"u8, .. NbdHost.Number(3), .. s_startTls, .. NbdHost.Option(NbdOption.List)];
    }

    /// <summary>What is said at once; what follows the handshake is masked.</summary>
    public static byte[][] Parts(byte[] input)
    {
        byte[] said = input[1..];
        int behind = said.AsSpan().IndexOf(s_startTls) + s_startTls.Length;
        if (input[0] == 'U' || behind < s_startTls.Length)
        {
            return [said];
        }

        int line = said.AsSpan(behind).IndexOf((byte)'\n') + 1;
        return line == 0 ? [said[..behind], said[behind..]]
            : [said[..behind], said[behind..(behind + line)], ToldName.Masked(said.AsSpan(behind + line))];
    }

    /// <summary>Greeting, refusals and acknowledgements; nothing of exports before the client is known.</summary>
    public static void Check(ReadOnlySpan<byte> answer)
    {
        BrokenProperty.Unless(answer.StartsWith("NBDMAGICIHAVEOPT"u8), "the server greets");
        // Four letters may be the number of an option, which is said again.
        BrokenProperty.Unless(answer.IndexOf("mail/"u8) < 0, "exports are not told in plain");
        answer = answer[18..];
        while (answer.Length >= 20 && BinaryPrimitives.ReadUInt64BigEndian(answer) == ReplyMagic)
        {
            uint option = BinaryPrimitives.ReadUInt32BigEndian(answer[8..]);
            var reply = (NbdOptionReply)BinaryPrimitives.ReadUInt32BigEndian(answer[12..]);
            bool isPlainReply = reply is NbdOptionReply.ErrorTlsRequired
                || (reply is NbdOptionReply.ErrorInvalid && option == (uint)NbdOption.StartTls)
                || (reply is NbdOptionReply.Ack && option is (uint)NbdOption.StartTls or (uint)NbdOption.Abort);
            BrokenProperty.Unless(isPlainReply, "before TLS nothing is done");
            answer = answer[(20 + BinaryPrimitives.ReadInt32BigEndian(answer[16..]))..];
        }

        BrokenProperty.Unless(
            answer.IsEmpty || answer.SequenceEqual(ToldName.Alert) || answer.StartsWith(ToldName.Welcome),
            "then comes the handshake, and nothing else");
    }
}
