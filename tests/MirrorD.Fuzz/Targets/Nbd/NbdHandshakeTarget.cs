using System.Buffers.Binary;
using MirrorD.Formats.Nbd;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Nbd;

/// <summary>
/// What an NBD client says before it has opened an export: its flags, then options. An input that begins with a T goes to a
/// server that wants TLS first; the client waits there behind STARTTLS, and behind its handshake. One that begins with a U does
/// not wait.
/// </summary>
internal sealed class NbdHandshakeTarget : FuzzTarget
{
    private static readonly byte[] s_flags = NbdHost.Number(3);

    private NbdHost? _host;

    public override string Name => "nbd-handshake";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Engine/Nbd/NbdSession.Handshake.cs", "src/MirrorD.Engine/Nbd/NbdSession.Information.cs",
        "src/MirrorD.Formats/Nbd/NbdOptionHeader.cs", "src/MirrorD.Engine/Nbd/ReceiveWindow.cs",
        "src/MirrorD.Engine/Nbd/NbdStranger.Plain.cs", "src/MirrorD.Engine/Nbd/NbdStranger.Securing.cs",
    ];

    public override IReadOnlyList<byte[]> Words =>
    [
        [.. "T"u8, .. s_flags, .. NbdHost.Option(NbdOption.StartTls), .. "a\n"u8], "nobody\n"u8.ToArray(), "!\n"u8.ToArray(),
        "IHAVEOPT"u8.ToArray(), "base:allocation"u8.ToArray(), "base:"u8.ToArray(), NbdHost.Text(NbdHost.Plain),
        .. Enum.GetValues<NbdOption>().Select(option => NbdHost.Option(option)),
    ];

    public override IReadOnlyList<int> Fields => [0, 4, 12, 16, 20, 24, 28, 32, 36];

    // Hosts and connections are made of objects; what a session needs is bounded.
    public override long MostAllocatedBytes(int inputBytes) => 16 * 1024 * 1024;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[][] options =
        [
            NbdHost.Option(NbdOption.List), NbdHost.Option(NbdOption.StructuredReply), NbdHost.Option(NbdOption.StartTls),
            NbdHost.Option(NbdOption.Info, NbdHost.Go(NbdHost.Plain, NbdInfoType.Name, NbdInfoType.BlockSize)),
            NbdHost.Option(NbdOption.Info, NbdHost.Go("nothing")),
                NbdHost.Option(NbdOption.Info, NbdHost.Go(NbdHost.Refused)),
            NbdHost.Option(NbdOption.ListMetaContext, NbdHost.Contexts(NbdHost.Plain)),
            NbdHost.Option(NbdOption.ListMetaContext, NbdHost.Contexts(NbdHost.Plain, "base:", "other:")),
            NbdHost.Option(NbdOption.SetMetaContext, NbdHost.Contexts(NbdHost.Plain, "base:allocation")),
            NbdHost.Option(NbdOption.SetMetaContext, NbdHost.Contexts("nothing", "base:allocation")),
        ];
        yield return [.. s_flags, .. options.SelectMany(each => each),
            .. NbdHost.Option(NbdOption.Go, NbdHost.Go(NbdHost.Plain))];
        foreach (byte[] option in options)
        {
            yield return [.. s_flags, .. option, .. NbdHost.Option(NbdOption.Abort)];
        }

        yield return [.. s_flags, .. NbdHost.Option(NbdOption.List, 1), .. NbdHost.Option(NbdOption.StructuredReply, 1)];
        yield return [.. NbdHost.Number(0), .. NbdHost.Option(NbdOption.ExportName, [.. "mail/data"u8])];
        yield return [.. NbdHost.Number(0), .. NbdHost.Option(NbdOption.List)];
        yield return [.. s_flags, .. NbdHost.Option(NbdOption.ExportName, [.. "mail/data"u8])];
        yield return [.. s_flags, .. NbdHost.Option(NbdOption.ExportName, [.. "mail/gone"u8])];
        yield return [.. s_flags, .. NbdHost.Option(NbdOption.ExportName, Bytes.Counting(100))];
        yield return [.. s_flags, .. Enumerable.Repeat(NbdHost.Option(NbdOption.StartTls), 257).SelectMany(each => each)];
        yield return [.. NbdHost.Number(uint.MaxValue)];
        yield return [.. s_flags, .. new byte[16]];
        yield return [.. s_flags, .. "IHAVEOPT"u8, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff];
        foreach (byte[] seed in TlsFirst.Seeds(options))
        {
            yield return seed;
        }
    }

    // The gate takes twice as much from whoever is not known.
    public override int MostBytes => 20 * 1024;

    // Magic and length of each option, up to where the next magic stands.
    public override byte[] FixUp(byte[] input)
    {
        ReadOnlySpan<byte> magic = "IHAVEOPT"u8;
        for (int at = IsTls(input) ? 5 : 4; at + 16 <= input.Length;)
        {
            magic.CopyTo(input.AsSpan(at));
            int next = input.AsSpan(at + 16).IndexOf(magic);
            int length = next < 0 ? input.Length - at - 16 : next;
            if ((input[at + 15] & 3) != 3)
            {
                BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(at + 12), length);
            }

            at += 16 + length;
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        try
        {
            _host = _host is null or { IsUsedUp: true } ? new NbdHost() : _host;
            if (IsTls(input))
            {
                TlsFirst.Check(_host.ConverseTls(TlsFirst.Parts(input)));
            }
            else
            {
                Check(input, _host.Converse(input));
            }
        }
        catch
        {
            _host = null;
            throw;
        }
    }

    private static bool IsTls(ReadOnlySpan<byte> input) => input.StartsWith("T"u8) || input.StartsWith("U"u8);

    // Greeting, then well-formed replies until an export is opened.
    private static void Check(ReadOnlySpan<byte> input, ReadOnlySpan<byte> answer)
    {
        BrokenProperty.Unless(answer.StartsWith("NBDMAGICIHAVEOPT"u8), "the server greets");
        answer = answer[18..];
        bool isOpen = false;
        while (!answer.IsEmpty && BinaryPrimitives.ReadUInt64BigEndian(Bytes.Padded(answer, 8)) == 0x3e889045565a9)
        {
            BrokenProperty.Unless(answer.Length >= 20, "a reply is whole");
            int length = BinaryPrimitives.ReadInt32BigEndian(answer[16..]);
            BrokenProperty.Unless(length >= 0 && length <= answer.Length - 20, "a reply is as long as it says");
            uint option = BinaryPrimitives.ReadUInt32BigEndian(answer[8..]);
            BrokenProperty.Unless(input.IndexOf(NbdHost.Number(option)) >= 0, "a reply is to an option that was sent");
            isOpen |= option == (uint)NbdOption.Go && BinaryPrimitives.ReadUInt32BigEndian(answer[12..]) == 1;
            answer = answer[(20 + length)..];
        }

        bool isByName = answer.Length is 10 or 134 || input.IndexOf(NbdHost.Number((uint)NbdOption.ExportName)) >= 0;
        BrokenProperty.Unless(answer.IsEmpty || isOpen || isByName, "nothing but replies before an export is open");
    }
}
