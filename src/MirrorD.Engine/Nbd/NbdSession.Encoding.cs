using System.Buffers.Binary;
using System.Text;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <content>The replies as bytes.</content>
internal sealed partial class NbdSession
{
    /// <summary>Room in bytes for any reply without data.</summary>
    private const int MostErrorBytes = NbdChunkHeader.SizeBytes + NbdChunkHeader.ErrorSizeBytes
        + SessionLimits.ErrorTextBytes + sizeof(ulong);

    /// <summary>Bytes before the data of a chunk: its header and the offset.</summary>
    private const int DataHeaderBytes = NbdChunkHeader.SizeBytes + NbdChunkHeader.DataOffsetSizeBytes;

    /// <summary>Payload of the block status reply.</summary>
    private int ExtentsBytes => NbdChunkHeader.ContextSizeBytes + (_extentCount * NbdExtent.SizeBytes);

    /// <summary>
    /// A reply without data. Where structured replies were agreed on, reads and block status must not get a
    /// simple one, and errors can say why.
    /// </summary>
    private int EncodeStatus(Span<byte> to, PendingRequest request)
    {
        if (_structuredReplies && request.Error != NbdError.None)
        {
            return EncodeError(to, request, request.Error, request.ErrorText, failedPiece: null);
        }

        if (_structuredReplies && request.Header.Command == NbdCommand.Read)
        {
            new NbdChunkHeader(NbdChunkFlags.Done, NbdChunkType.None, request.Header.Cookie, 0).Encode(to);
            return NbdChunkHeader.SizeBytes;
        }

        new NbdSimpleReplyHeader(request.Error, request.Header.Cookie).Encode(to);
        return NbdSimpleReplyHeader.SizeBytes;
    }

    /// <summary>An error chunk: of a piece with its offset, else of the whole request.</summary>
    private static int EncodeError(
        Span<byte> to, PendingRequest request, NbdError error, string text, Piece? failedPiece)
    {
        Span<byte> payload = to[NbdChunkHeader.SizeBytes..];
        int textBytes = Encoding.UTF8.GetBytes(text, payload.Slice(NbdChunkHeader.ErrorSizeBytes,
            SessionLimits.ErrorTextBytes));
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)error);
        BinaryPrimitives.WriteUInt16BigEndian(payload[4..], (ushort)textBytes);
        int bytes = NbdChunkHeader.ErrorSizeBytes + textBytes;
        NbdChunkType type = NbdChunkType.Error;
        NbdChunkFlags flags = NbdChunkFlags.Done;
        if (failedPiece is not null)
        {
            BinaryPrimitives.WriteUInt64BigEndian(payload[bytes..], (ulong)failedPiece.Io.Offset);
            bytes += sizeof(ulong);
            type = NbdChunkType.ErrorOffset;
            flags = failedPiece.EndsReply ? NbdChunkFlags.Done : NbdChunkFlags.None;
        }

        new NbdChunkHeader(flags, type, request.Header.Cookie, (uint)bytes).Encode(to);
        return NbdChunkHeader.SizeBytes + bytes;
    }

    private static void EncodeDataHeader(Span<byte> to, Piece piece)
    {
        NbdChunkFlags flags = piece.EndsReply ? NbdChunkFlags.Done : NbdChunkFlags.None;
        uint bytes = (uint)(NbdChunkHeader.DataOffsetSizeBytes + piece.DataBytes);
        new NbdChunkHeader(flags, NbdChunkType.OffsetData, piece.Request.Header.Cookie, bytes).Encode(to);
        BinaryPrimitives.WriteUInt64BigEndian(to[NbdChunkHeader.SizeBytes..], (ulong)piece.Io.Offset);
    }

    private void EncodeExtents(Span<byte> to, PendingRequest request)
    {
        var header = new NbdChunkHeader(
            NbdChunkFlags.Done, NbdChunkType.BlockStatus, request.Header.Cookie, (uint)ExtentsBytes);
        header.Encode(to);
        to = to[NbdChunkHeader.SizeBytes..];
        BinaryPrimitives.WriteUInt32BigEndian(to, SessionLimits.AllocationContext);
        to = to[NbdChunkHeader.ContextSizeBytes..];
        for (int i = 0; i < _extentCount; i++)
        {
            _extents[i].Encode(to[(i * NbdExtent.SizeBytes)..]);
        }
    }
}
