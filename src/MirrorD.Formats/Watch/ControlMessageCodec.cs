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
        var reader = new FieldReader(body);
        resource = new ResourceHash(reader.UInt64());
        ControlMessage? message = reader.Byte() switch
        {
            1 => ReadRequest(ref reader),
            2 => new ControlMessage.OutdateReply(
                new SessionId(reader.UInt64()), reader.UInt64(), Answer(ref reader)),
            3 => new ControlMessage.Goodbye(
                reader.Flag(), new SessionId(reader.UInt64()), new Generation(reader.UInt64())),
            _ => null,
        };
        return reader.IsAtEndAndValid ? message : null;
    }

    private static ControlMessage.OutdateRequest ReadRequest(ref FieldReader reader)
    {
        var session = new SessionId(reader.UInt64());
        var current = new Generation(reader.UInt64());
        var bitmap = new Generation(reader.UInt64());
        ulong nonce = reader.UInt64();
        return new ControlMessage.OutdateRequest(session, current, bitmap, reader.Generations(), nonce);
    }

    private static OutdateAnswer Answer(ref FieldReader reader) =>
        (OutdateAnswer)reader.Byte((byte)OutdateAnswer.Stored, (byte)OutdateAnswer.Unable);

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
}
