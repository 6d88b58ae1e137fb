using System.Buffers.Binary;
using System.Text;
using MirrorD.Core;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <content>
/// The handshake: one option after the other, each read as a whole and answered before the next one is looked
/// at.
/// </content>
internal sealed partial class NbdSession
{
    /// <summary>What the greeting offers.</summary>
    internal const NbdHandshakeFlags OfferedFlags
        = NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes;

    private int _optionsSeen;
    private bool _fixedNewstyle;
    private bool _noZeroes;
    private bool _structuredReplies;
    private NbdExport? _allocationContextOf;

    private void WriteGreeting()
    {
        new NbdGreeting(OfferedFlags).Encode(_memory.Send.Span);
        _sendBytes = NbdGreeting.SizeBytes;
    }

    private Step ReadClientFlags()
    {
        if (_input.AvailableBytes < NbdGreeting.ClientFlagsSizeBytes)
        {
            return Need(NbdGreeting.ClientFlagsSizeBytes);
        }

        uint flags = BinaryPrimitives.ReadUInt32BigEndian(_input.Peek(NbdGreeting.ClientFlagsSizeBytes));
        _input.Consume(NbdGreeting.ClientFlagsSizeBytes);
        if (((NbdHandshakeFlags)flags & ~OfferedFlags) != 0)
        {
            Violation($"unknown client flags 0x{flags:x}");
            return Step.Taken;
        }

        _fixedNewstyle = ((NbdHandshakeFlags)flags & NbdHandshakeFlags.FixedNewstyle) != 0;
        _noZeroes = ((NbdHandshakeFlags)flags & NbdHandshakeFlags.NoZeroes) != 0;
        _phase = Phase.Options;
        return Step.Taken;
    }

    private Step ReadOption()
    {
        if (_send.IsPending || _sendBytes > 0)
        {
            return Step.Blocked;
        }

        if (_input.AvailableBytes < NbdOptionHeader.SizeBytes)
        {
            return Need(NbdOptionHeader.SizeBytes);
        }

        if (!NbdOptionHeader.TryDecode(_input.Peek(NbdOptionHeader.SizeBytes), out NbdOptionHeader header))
        {
            Violation("an option without its magic");
            return Step.Taken;
        }

        if (header.LengthBytes > SessionLimits.OptionBytes)
        {
            Violation($"option {(uint)header.Option} with {header.LengthBytes} bytes of data, " +
                $"more than {SessionLimits.OptionBytes}");
            return Step.Taken;
        }

        int wholeBytes = NbdOptionHeader.SizeBytes + (int)header.LengthBytes;
        if (_input.AvailableBytes < wholeBytes)
        {
            return Need(wholeBytes);
        }

        HandleOption(header.Option, _input.Peek(wholeBytes)[NbdOptionHeader.SizeBytes..]);
        _input.Consume(wholeBytes);
        return Step.Taken;
    }

    private void HandleOption(NbdOption option, ReadOnlySpan<byte> data)
    {
        if (++_optionsSeen > SessionLimits.Options)
        {
            Violation($"more than {SessionLimits.Options} options");
            return;
        }

        if (!_fixedNewstyle && option != NbdOption.ExportName)
        {
            Violation($"option {(uint)option} from a client that does not speak fixed newstyle");
            return;
        }

        switch (option)
        {
            case NbdOption.ExportName:
                OpenByName(data);
                break;
            case NbdOption.Abort:
                Reply(option, NbdOptionReply.Ack, default);
                Finish("aborted by the client");
                break;
            case NbdOption.List:
                ListExports(data);
                break;
            case NbdOption.Info:
            case NbdOption.Go:
                Inform(option, data);
                break;
            case NbdOption.StructuredReply:
                AgreeOnStructuredReplies(data);
                break;
            case NbdOption.ListMetaContext:
            case NbdOption.SetMetaContext:
                ChooseContexts(option, data);
                break;
            case NbdOption.StartTls when _sealed is not null:
                Refuse(option, NbdOptionReply.ErrorInvalid, "this connection is encrypted already");
                break;
            case NbdOption.StartTls:
            case NbdOption.ExtendedHeaders:
            default: // Any 32-bit number may come from a client.
                Refuse(option, NbdOptionReply.ErrorUnsupported, "this option is not supported");
                break;
        }
    }

    private void AgreeOnStructuredReplies(ReadOnlySpan<byte> data)
    {
        if (data.Length > 0)
        {
            Refuse(NbdOption.StructuredReply, NbdOptionReply.ErrorInvalid, "this option has no data");
            return;
        }

        _structuredReplies = true;
        Reply(NbdOption.StructuredReply, NbdOptionReply.Ack, default);
    }

    private void ListExports(ReadOnlySpan<byte> data)
    {
        if (data.Length > 0)
        {
            Refuse(NbdOption.List, NbdOptionReply.ErrorInvalid, "this option has no data");
            return;
        }

        Span<byte> entry = stackalloc byte[4 + SessionLimits.ExportNameBytes];
        foreach (NbdExport export in _server.Exports)
        {
            BinaryPrimitives.WriteInt32BigEndian(entry, export.NameUtf8.Length);
            export.NameUtf8.CopyTo(entry[4..]);
            Reply(NbdOption.List, NbdOptionReply.Server, entry[..(4 + export.NameUtf8.Length)]);
        }

        Reply(NbdOption.List, NbdOptionReply.Ack, default);
    }

    private void OpenByName(ReadOnlySpan<byte> name)
    {
        // This option has no way to refuse but to close.
        NbdExport? export = _server.Find(name);
        if (export is null)
        {
            Close(NbdEventKind.Refused, $"no export '{Printable(name)}'");
            return;
        }

        if (export.Volume.Unavailable is { } reason)
        {
            Close(NbdEventKind.Refused, $"export '{export.Volume.Name}' refused: {reason}");
            return;
        }

        InfoOf(export).Encode(_memory.Send.Span[_sendBytes..]);
        _sendBytes += NbdExportInfo.SizeBytes;
        if (!_noZeroes)
        {
            _memory.Send.Span.Slice(_sendBytes, NbdExportInfo.ZeroPaddingBytes).Clear();
            _sendBytes += NbdExportInfo.ZeroPaddingBytes;
        }

        Open(export);
    }

    private void Open(NbdExport export)
    {
        _export = export;
        _loop.CancelTimer(_handshakeTimer);
        _phase = Phase.Transmission;
        BeginTransmission(export);
        Report(NbdEventKind.Opened, _structuredReplies ? "opened with structured replies" : "opened");
    }

    private NbdExportInfo InfoOf(NbdExport export) =>
        new((ulong)export.Volume.LengthBytes, export.Flags(_structuredReplies));

    private void Refuse(NbdOption option, NbdOptionReply error, string text)
    {
        Span<byte> utf8 = stackalloc byte[SessionLimits.ErrorTextBytes];
        Encoding.UTF8.GetEncoder().Convert(text, utf8, flush: true, out _, out int bytes, out _);
        Reply(option, error, utf8[..bytes]);
    }

    private void Reply(NbdOption option, NbdOptionReply reply, ReadOnlySpan<byte> data)
    {
        int bytes = NbdOptionReplyHeader.SizeBytes + data.Length;
        Invariant.Require(bytes <= _memory.Send.LengthBytes - _sendBytes, "the replies to one option fit");
        Span<byte> to = _memory.Send.Span.Slice(_sendBytes, bytes);
        new NbdOptionReplyHeader(option, reply, (uint)data.Length).Encode(to);
        data.CopyTo(to[NbdOptionReplyHeader.SizeBytes..]);
        _sendBytes += bytes;
    }

    /// <summary>
    /// A client's bytes for a log line: short, and nothing but letters, digits and punctuation.
    /// </summary>
    private static string Printable(ReadOnlySpan<byte> name)
    {
        const int MostBytes = 64;
        var text = new StringBuilder();
        foreach (byte b in name[..Math.Min(name.Length, MostBytes)])
        {
            text.Append(b is >= 0x20 and < 0x7f ? (char)b : '?');
        }

        return name.Length > MostBytes ? text.Append('…').ToString() : text.ToString();
    }
}
