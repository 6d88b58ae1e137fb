using System.Buffers.Binary;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>Frames of the peer link under keys that are always the same, as the connecting side sends them.</summary>
internal static class Frames
{
    private const int PayloadTagAt = 44;
    private const int TagAt = 56;

    public static LinkKeys Keys { get; } = new(Bytes.Counting(LinkKeys.KeyBytes), Bytes.Counting(128), Bytes.Counting(128));

    private static readonly PayloadSealer s_sealer = new(Keys.PayloadsFromConnector);

    /// <summary>One frame of each type.</summary>
    public static IEnumerable<(PeerFrame Frame, byte[] Payload)> OfEachType()
    {
        foreach (PeerFrameType type in Enum.GetValues<PeerFrameType>())
        {
            bool hasData = type is PeerFrameType.Write or PeerFrameType.Copy or PeerFrameType.ReadData;
            bool hasRange = hasData || type is PeerFrameType.Zero or PeerFrameType.CopyZero or PeerFrameType.Read
                or PeerFrameType.HashQuestion;
            byte[] payload = hasData ? Bytes.Counting(200) : type switch
            {
                PeerFrameType.Message => PeerMessageCodec.Encode(new PeerMessage.RoleNotice(Role.Primary, 3)),
                PeerFrameType.HashAnswer => Bytes.Counting(RangeHash.Bytes),
                _ => [],
            };
            yield return (new PeerFrame
            {
                Type = type,
                Sequence = type is PeerFrameType.Message or PeerFrameType.Ping ? 0 : 1,
                Offset = hasRange ? 4096 : 0,
                RangeBytes = hasData ? 200u : hasRange ? 4096u : 0,
                Volume = 0,
                PayloadBytes = (uint)payload.Length,
            }, payload);
        }
    }

    public static byte[] Encode(IEnumerable<(PeerFrame Frame, byte[] Payload)> frames)
    {
        var bytes = new List<byte>();
        byte[] header = new byte[PeerFrame.HeaderBytes];
        foreach ((PeerFrame frame, byte[] payload) in frames)
        {
            (frame with { Session = Keys.Session }).Encode(header, Keys.FromConnector, 0);
            bytes.AddRange(header);
            bytes.AddRange(payload);
        }

        return FixUp([.. bytes]);
    }

    /// <summary>
    /// Walks the frames by the lengths that they state, and makes the tags of payloads and headers right under the number
    /// that each has.
    /// </summary>
    public static byte[] FixUp(byte[] bytes)
    {
        Span<byte> rest = bytes;
        for (ulong number = 0; rest.Length >= PeerFrame.HeaderBytes; number++)
        {
            Span<byte> header = rest[..PeerFrame.HeaderBytes];
            uint stated = BinaryPrimitives.ReadUInt32LittleEndian(header[36..]);
            int length = (int)Math.Min(stated, (uint)(rest.Length - PeerFrame.HeaderBytes));
            Span<byte> payload = rest.Slice(PeerFrame.HeaderBytes, length);
            if (length > 0)
            {
                s_sealer.TagOf(payload, number).Write(header[PayloadTagAt..]);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(header, PeerFrame.Magic);
            BinaryPrimitives.WriteUInt64LittleEndian(header[8..], Keys.Session.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(
                header[TagAt..], SipHash.Compute(Keys.FromConnector, header[..TagAt], number));
            rest = rest[(PeerFrame.HeaderBytes + length)..];
        }

        return bytes;
    }
}
