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

    /// <summary>Answers with the hash; with nothing when the range can't be read.</summary>
    public void SendHashAnswer(long sequence, ReadOnlySpan<byte> hash)
    {
        if (_isClosed)
        {
            return;
        }

        Span<byte> room = _out.Append(PeerFrame.HeaderBytes + hash.Length);
        hash.CopyTo(room[PeerFrame.HeaderBytes..]);
        Encode(
            new PeerFrame
            {
                Type = PeerFrameType.HashAnswer,
                Sequence = sequence,
                PayloadBytes = (uint)hash.Length,
                PayloadCrc = hash.IsEmpty ? 0 : Crc32C.Compute(hash),
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
        if (length > 0 && Crc32C.Compute(hash) != _frame.PayloadCrc)
        {
            return Done("payload checksum does not fit");
        }

        _user.HashAnswered(_frame.Sequence, hash);
        return Done(null);
    }
}
