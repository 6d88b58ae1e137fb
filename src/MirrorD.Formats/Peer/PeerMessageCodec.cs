using System.Buffers.Binary;
using System.Text;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Peer;

/// <summary>
/// Control messages as bytes: one kind byte, then the fields in order, little endian (the resource id in the
/// order in which it is written down); byte strings and texts carry their length as u16. Golden bytes in the
/// tests, meaning in docs/internals/peer-protocol.md.
/// </summary>
public static class PeerMessageCodec
{
    /// <summary>Encodes the message.</summary>
    public static byte[] Encode(PeerMessage message)
    {
        var to = new Writer();
        switch (message)
        {
            case PeerMessage.Facts m:
                to.Kind(1).Bytes(m.Encoded.Span);
                break;
            case PeerMessage.Decision m:
                to.Kind(2).Byte(m.Case).Byte(m.Action).Byte(m.SelfIs);
                break;
            case PeerMessage.Begin m:
                to.Kind(3).Byte(m.IsFull ? (byte)1 : (byte)0).UInt64(m.Base.Value);
                break;
            case PeerMessage.DirtyPage m:
                to.Kind(4).UInt64((ulong)m.Volume).UInt64((ulong)m.Page).Bytes(m.Bits.Span);
                break;
            case PeerMessage.TargetReady:
                to.Kind(5);
                break;
            case PeerMessage.SourceReady m:
                to.Kind(6).UInt64((ulong)m.SyncBytes);
                break;
            case PeerMessage.Commit m:
                to.Kind(7).Id(m.ResourceId).UInt64(m.Current.Value).UInt64(m.Promotions)
                    .UInt64(m.Sequence).Byte((byte)m.History.Count);
                foreach (Generation generation in m.History)
                {
                    to.UInt64(generation.Value);
                }

                break;
            case PeerMessage.Committed:
                to.Kind(8);
                break;
            case PeerMessage.Finished:
                to.Kind(9);
                break;
            case PeerMessage.RoleNotice m:
                to.Kind(10).Byte((byte)m.Role).UInt64(m.Promotions);
                break;
            case PeerMessage.RoleClaim m:
                to.Kind(11).Byte(m.IsAutomatic ? (byte)1 : (byte)0);
                break;
            case PeerMessage.RoleAnswer m:
                to.Kind(12).Byte(m.Agreed ? (byte)1 : (byte)0).Bytes(Encoding.UTF8.GetBytes(m.Reason));
                break;
            case PeerMessage.RequestRole:
                to.Kind(13);
                break;
            case PeerMessage.HandOver m:
                to.Kind(14).UInt64(m.Promotions);
                break;
            case PeerMessage.HandOverDone:
                to.Kind(15);
                break;
            case PeerMessage.Goodbye m:
                to.Kind(16).Byte(m.IsOutdated ? (byte)1 : (byte)0).UInt64(m.Session.Value)
                    .UInt64(m.Current.Value);
                break;
            case PeerMessage.DiskLost m:
                to.Kind(17).Byte(m.IsStored ? (byte)1 : (byte)0).UInt64(m.Session.Value)
                    .UInt64(m.Current.Value);
                break;
            case PeerMessage.DiskLossNoted m:
                to.Kind(18).UInt64(m.Current.Value);
                break;
            case PeerMessage.SyncPause m:
                to.Kind(19).Byte(m.IsPaused ? (byte)1 : (byte)0);
                break;
            case PeerMessage.Verified m:
                to.Kind(20).Byte(m.IsComplete ? (byte)1 : (byte)0).UInt64((ulong)m.ComparedBytes)
                    .UInt64((ulong)m.DifferentBytes).UInt64((ulong)m.UnreadableBytes).UInt64((ulong)m.RepairedBytes);
                break;
            case PeerMessage.LeaveAsk:
                to.Kind(44);
                break;
            case PeerMessage.LeaveRefused m:
                to.Kind(45).Bytes(Encoding.UTF8.GetBytes(m.Reason));
                break;
            case PeerMessage.InvalidateAsk m:
                to.Kind(46).Byte(m.IsWanted ? (byte)1 : (byte)0);
                break;
            case PeerMessage.InvalidateAnswer m:
                to.Kind(47).Bytes(Encoding.UTF8.GetBytes(m.Reason));
                break;
            case PeerMessage.GrowAsk m:
                to.Kind(50).UInt64(m.Number).Byte(m.IsExact ? (byte)1 : (byte)0).Sizes(m.DataBytes);
                break;
            case PeerMessage.GrowAnswer m:
                to.Kind(51).UInt64(m.Number).Sizes(m.DataBytes).Bytes(Encoding.UTF8.GetBytes(m.Reason));
                break;
            default:
                throw new ArgumentException($"no encoding for {message.GetType().Name}");
        }

        return to.ToArray();
    }

    /// <summary>
    /// Decodes a message; null when it is malformed (unknown kind, wrong length, value out of range).
    /// </summary>
    public static PeerMessage? Decode(ReadOnlySpan<byte> from)
    {
        var reader = new FieldReader(from);
        PeerMessage? message = reader.Byte() switch
        {
            1 => new PeerMessage.Facts(reader.Bytes()),
            2 => new PeerMessage.Decision(reader.Byte(), reader.Byte(), reader.Byte()),
            3 => new PeerMessage.Begin(reader.Flag(), new Generation(reader.UInt64())),
            4 => new PeerMessage.DirtyPage(reader.Index(), reader.Index(), reader.Bytes()),
            5 => new PeerMessage.TargetReady(),
            6 => new PeerMessage.SourceReady(reader.Count()),
            7 => ReadCommit(ref reader),
            8 => new PeerMessage.Committed(),
            9 => new PeerMessage.Finished(),
            10 => new PeerMessage.RoleNotice(reader.Role(), reader.UInt64()),
            11 => new PeerMessage.RoleClaim(reader.Flag()),
            12 => new PeerMessage.RoleAnswer(reader.Flag(), Encoding.UTF8.GetString(reader.Bytes())),
            13 => new PeerMessage.RequestRole(),
            14 => new PeerMessage.HandOver(reader.UInt64()),
            15 => new PeerMessage.HandOverDone(),
            16 => new PeerMessage.Goodbye(
                reader.Flag(), new SessionId(reader.UInt64()), new Generation(reader.UInt64())),
            17 => new PeerMessage.DiskLost(
                reader.Flag(), new SessionId(reader.UInt64()), new Generation(reader.UInt64())),
            18 => new PeerMessage.DiskLossNoted(new Generation(reader.UInt64())),
            19 => new PeerMessage.SyncPause(reader.Flag()),
            20 => new PeerMessage.Verified(
                reader.Flag(), reader.Count(), reader.Count(), reader.Count(), reader.Count()),
            44 => new PeerMessage.LeaveAsk(),
            45 => new PeerMessage.LeaveRefused(Encoding.UTF8.GetString(reader.Bytes())),
            46 => new PeerMessage.InvalidateAsk(reader.Flag()),
            47 => new PeerMessage.InvalidateAnswer(Encoding.UTF8.GetString(reader.Bytes())),
            50 => new PeerMessage.GrowAsk(reader.UInt64(), reader.Flag(), reader.Sizes()),
            51 => new PeerMessage.GrowAnswer(reader.UInt64(), reader.Sizes(), Encoding.UTF8.GetString(reader.Bytes())),
            _ => null,
        };
        return reader.IsAtEndAndValid ? message : null;
    }

    private static PeerMessage.Commit ReadCommit(ref FieldReader reader)
    {
        Guid resourceId = reader.Id();
        var current = new Generation(reader.UInt64());
        ulong promotions = reader.UInt64();
        ulong sequence = reader.UInt64();
        return new PeerMessage.Commit(resourceId, current, reader.Generations(), promotions, sequence);
    }

    private sealed class Writer
    {
        private readonly List<byte> _bytes = [];

        public Writer Kind(byte kind) => Byte(kind);

        public Writer Byte(byte value)
        {
            _bytes.Add(value);
            return this;
        }

        public Writer UInt64(ulong value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            _bytes.AddRange(bytes);
            return this;
        }

        public Writer Id(Guid value)
        {
            _bytes.AddRange(value.ToByteArray(bigEndian: true));
            return this;
        }

        public Writer Bytes(ReadOnlySpan<byte> value)
        {
            Span<byte> length = stackalloc byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(length, checked((ushort)value.Length));
            _bytes.AddRange(length);
            _bytes.AddRange(value);
            return this;
        }

        public Writer Sizes(IReadOnlyList<long> bytes)
        {
            Byte((byte)bytes.Count);
            foreach (long one in bytes)
            {
                UInt64((ulong)one);
            }

            return this;
        }

        public byte[] ToArray() => _bytes.ToArray();
    }
}
