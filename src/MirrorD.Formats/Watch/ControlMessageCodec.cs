using System.Buffers.Binary;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Watch;

/// <summary>
/// Body of a control datagram: hash of the resource's name (u64), one kind byte, then the fields in order,
/// little endian. Golden bytes in the tests, meaning in docs/internals/watch-protocol.md.
/// </summary>
public static class ControlMessageCodec
{
    /// <summary>Longest body: a request with the longest history.</summary>
    public const int MaxBodyBytes = 8 + 1 + (4 * 8) + 1 + (8 * SuperblockCodec.MaximumHistory);

    /// <summary>Writes resource and message; returns their length in bytes.</summary>
    public static int Encode(ResourceHash resource, ControlMessage message, Span<byte> to)
    {
        var writer = new Writer(to);
        writer.UInt64(resource.Value);
        switch (message)
        {
            case ControlMessage.OutdateRequest m:
                writer.Byte(1);
                writer.UInt64(m.Session.Value);
                writer.UInt64(m.Current.Value);
                writer.UInt64(m.Bitmap.Value);
                writer.UInt64(m.Nonce);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(
                    m.History.Count, SuperblockCodec.MaximumHistory);
                writer.Byte((byte)m.History.Count);
                foreach (Generation generation in m.History)
                {
                    writer.UInt64(generation.Value);
                }

                break;
            case ControlMessage.OutdateReply m:
                writer.Byte(2);
                writer.UInt64(m.Session.Value);
                writer.UInt64(m.Nonce);
                writer.Byte((byte)m.Answer);
                break;
            case ControlMessage.Goodbye m:
                writer.Byte(3);
                writer.Byte(m.IsOutdated ? (byte)1 : (byte)0);
                writer.UInt64(m.Session.Value);
                writer.UInt64(m.Current.Value);
                break;
            default:
                throw new ArgumentException($"no encoding for {message.GetType().Name}");
        }

        return writer.Length;
    }

    /// <summary>
    /// Reads a body; null when it is malformed (unknown kind, wrong length, value out of range).
    /// </summary>
    public static ControlMessage? Decode(ReadOnlySpan<byte> body, out ResourceHash resource)
    {
        var reader = new Reader(body);
        resource = new ResourceHash(reader.UInt64());
        ControlMessage? message = reader.Byte() switch
        {
            1 => ReadRequest(ref reader),
            2 => new ControlMessage.OutdateReply(
                new SessionId(reader.UInt64()), reader.UInt64(), reader.Answer()),
            3 => new ControlMessage.Goodbye(
                reader.Flag(), new SessionId(reader.UInt64()), new Generation(reader.UInt64())),
            _ => null,
        };
        return reader.IsAtEndAndValid ? message : null;
    }

    private static ControlMessage.OutdateRequest ReadRequest(ref Reader reader)
    {
        var session = new SessionId(reader.UInt64());
        var current = new Generation(reader.UInt64());
        var bitmap = new Generation(reader.UInt64());
        ulong nonce = reader.UInt64();
        var history = new Generation[reader.HistoryLength()];
        for (int i = 0; i < history.Length; i++)
        {
            history[i] = new Generation(reader.UInt64());
        }

        return new ControlMessage.OutdateRequest(session, current, bitmap, history, nonce);
    }

    private ref struct Writer(Span<byte> to)
    {
        private readonly Span<byte> _to = to;

        public int Length { get; private set; }

        public void Byte(byte value) => _to[Length++] = value;

        public void UInt64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_to[Length..], value);
            Length += sizeof(ulong);
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;
        private bool _isInvalid;

        public readonly bool IsAtEndAndValid => !_isInvalid && _rest.IsEmpty;

        public byte Byte()
        {
            ReadOnlySpan<byte> taken = Take(1);
            return taken.IsEmpty ? (byte)0 : taken[0];
        }

        public ulong UInt64()
        {
            ReadOnlySpan<byte> taken = Take(sizeof(ulong));
            return taken.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(taken);
        }

        public bool Flag()
        {
            byte value = Byte();
            _isInvalid |= value > 1;
            return value == 1;
        }

        public OutdateAnswer Answer()
        {
            byte value = Byte();
            _isInvalid |= value is < (byte)OutdateAnswer.Stored or > (byte)OutdateAnswer.Unable;
            return (OutdateAnswer)value;
        }

        /// <summary>Never more than the rest can hold, so that a wrong count costs no memory.</summary>
        public int HistoryLength()
        {
            byte value = Byte();
            _isInvalid |= value > SuperblockCodec.MaximumHistory || value * sizeof(ulong) != _rest.Length;
            return _isInvalid ? 0 : value;
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (_isInvalid || _rest.Length < count)
            {
                _isInvalid = true;
                return default;
            }

            ReadOnlySpan<byte> taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }
    }
}
