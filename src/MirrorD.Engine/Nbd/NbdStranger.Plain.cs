using System.Buffers.Binary;
using System.Text;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <content>
/// What is said before TLS: whatever is asked, the answer is that TLS comes first. Each option is answered before the next
/// one is looked at.
/// </content>
internal sealed partial class NbdStranger
{
    private const string TlsFirst = "this server wants TLS first (STARTTLS)";

    private int _optionsSeen;
    private bool _noZeroes;
    private bool _closesWhenSent;

    private void Greet()
    {
        new NbdGreeting(NbdSession.OfferedFlags).Encode(_memory.Send.Span);
        _loop.Send(_connection, _memory.Send.Slice(0, NbdGreeting.SizeBytes), _send);
    }

    private void ReadPlain()
    {
        if (_send.IsPending || _receive.IsPending)
        {
            return;
        }

        int needed = _phase == Phase.ClientFlags ? NbdGreeting.ClientFlagsSizeBytes : NbdOptionHeader.SizeBytes;
        if (_input.AvailableBytes >= needed && _phase == Phase.ClientFlags)
        {
            ReadClientFlags();
            needed = NbdOptionHeader.SizeBytes;
        }

        if (_phase == Phase.Options && _input.AvailableBytes >= needed)
        {
            needed = ReadOption();
        }

        if (_phase < Phase.Securing && !_send.IsPending)
        {
            _loop.Receive(
                _connection, _input.Room(needed, int.MaxValue), needed - _input.AvailableBytes, _receive);
        }
    }

    private void ReadClientFlags()
    {
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(_input.Peek(NbdGreeting.ClientFlagsSizeBytes));
        _input.Consume(NbdGreeting.ClientFlagsSizeBytes);
        if (((NbdHandshakeFlags)flags & ~NbdSession.OfferedFlags) != 0)
        {
            Refuse(NbdEventKind.Violation, "unknown client flags");
        }
        else if (((NbdHandshakeFlags)flags & NbdHandshakeFlags.FixedNewstyle) == 0)
        {
            Refuse(NbdEventKind.Refused, "a client that does not speak fixed newstyle can't ask for TLS");
        }
        else
        {
            _noZeroes = ((NbdHandshakeFlags)flags & NbdHandshakeFlags.NoZeroes) != 0;
            _phase = Phase.Options;
        }
    }

    /// <summary>Answers one option if it is there as a whole.</summary>
    /// <returns>Bytes that have to be there; of no meaning when it was answered.</returns>
    private int ReadOption()
    {
        if (!NbdOptionHeader.TryDecode(_input.Peek(NbdOptionHeader.SizeBytes), out NbdOptionHeader header))
        {
            Refuse(NbdEventKind.Violation, "an option without its magic");
            return 0;
        }

        if (header.Option == NbdOption.ExportName)
        {
            // It has no other way to be refused.
            Refuse(NbdEventKind.Refused, "it opens an export by EXPORT_NAME without TLS");
            return 0;
        }

        if (header.LengthBytes > SessionLimits.PlainOptionBytes || ++_optionsSeen > SessionLimits.PlainOptions)
        {
            Refuse(NbdEventKind.Violation, "it says too much before TLS");
            return 0;
        }

        int wholeBytes = NbdOptionHeader.SizeBytes + (int)header.LengthBytes;
        if (_input.AvailableBytes >= wholeBytes)
        {
            _input.Consume(wholeBytes);
            Answer(header);
        }
        else
        {
            // Counted when it is there as a whole.
            _optionsSeen--;
        }

        return wholeBytes;
    }

    private void Answer(in NbdOptionHeader header)
    {
        switch (header.Option)
        {
            case NbdOption.StartTls when header.LengthBytes > 0:
                Reply(header.Option, NbdOptionReply.ErrorInvalid, "this option has no data");
                break;
            case NbdOption.StartTls when _input.AvailableBytes > 0:
                // A client waits for the answer. Whoever stands between could have put these bytes here, to be
                // taken for the client's own.
                Refuse(NbdEventKind.Violation, "bytes behind STARTTLS that did not wait for its answer");
                break;
            case NbdOption.StartTls:
                _phase = Phase.Securing;
                Reply(header.Option, NbdOptionReply.Ack, "");
                break;
            case NbdOption.Abort:
                _closesWhenSent = true;
                Reply(header.Option, NbdOptionReply.Ack, "");
                break;
            default: // Any 32-bit number may come from a client.
                _gate.Tell(NbdEventKind.Refused, _connection.Name, "it asks for exports without TLS");
                Reply(header.Option, NbdOptionReply.ErrorTlsRequired, TlsFirst);
                break;
        }
    }

    private void Reply(NbdOption option, NbdOptionReply reply, string text)
    {
        Span<byte> to = _memory.Send.Span;
        int textBytes = Encoding.UTF8.GetBytes(text, to[NbdOptionReplyHeader.SizeBytes..]);
        new NbdOptionReplyHeader(option, reply, (uint)textBytes).Encode(to);
        _loop.Send(_connection, _memory.Send.Slice(0, NbdOptionReplyHeader.SizeBytes + textBytes), _send);
    }
}
