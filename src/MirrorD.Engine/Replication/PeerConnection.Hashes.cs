using MirrorD.Core.Resync;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Engine.Replication;

/// <summary>Questions for hashes of ranges, and their answers.</summary>
internal sealed partial class PeerConnection
{
    /// <summary>Asks for the hash of the copy's range.</summary>
    public void SendHashQuestion(ResyncCopy copy, long sequence) => SendHeader(new PeerFrame
    {
        Type = PeerFrameType.HashQuestion,
        Sequence = sequence,
        Volume = (ushort)copy.Volume,
        Offset = copy.Offset,
        RangeBytes = (uint)copy.LengthBytes,
    });

    /// <summary>Answers with the hash; null when the range can't be read.</summary>
    public void SendHashAnswer(long sequence, RangeHash? hash)
    {
        if (_isClosed)
        {
            return;
        }

        int length = hash is null ? 0 : RangeHash.Bytes;
        Span<byte> room = _out.Append(PeerFrame.HeaderBytes + length);
        Span<byte> payload = room.Slice(PeerFrame.HeaderBytes, length);
        hash?.Write(payload);
        Encode(
            new PeerFrame
            {
                Type = PeerFrameType.HashAnswer,
                Sequence = sequence,
                PayloadBytes = (uint)length,
                PayloadTag = hash is null ? default : TagOf(payload),
            },
            room);
        Pump();
    }

    private bool TakeHashAnswer()
    {
        int length = (int)_frame.PayloadBytes;
        if (_stagingEnd - _stagingStart < length)
        {
            return false;
        }

        ReadOnlySpan<byte> hash = _staging.Span.Slice(_stagingStart, length);
        _stagingStart += length;
        if (length > 0 && !IsAuthentic(hash))
        {
            return Done(NotAuthentic);
        }

        _user.HashAnswered(_frame.Sequence, length == 0 ? null : RangeHash.Read(hash));
        return Done(null);
    }
}
