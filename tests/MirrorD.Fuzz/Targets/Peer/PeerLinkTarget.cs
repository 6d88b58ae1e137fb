using MirrorD.Core.Volumes;
using MirrorD.Engine.Link;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Fuzz.Running;
using MirrorD.Io;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>
/// All that comes over an authenticated connection, through the real one on a simulated socket. The first byte of the input
/// says how many slots there are, and how many zeroes follow the rest.
/// </summary>
internal sealed class PeerLinkTarget : FuzzTarget
{
    private SimulatedWire? _wire;

    public override string Name => "peer-link";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Engine/Replication/PeerConnection.Receiving.cs"];

    public override IReadOnlyList<int> Fields => [1, 5, 6, 7, 9, 17, 25, 33, 37, 41, 43, 45, 57, 65];

    // The connection and its pool are objects.
    public override long MostAllocatedBytes(int inputBytes) => 2 * 1024 * 1024 + 256L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] all = Frames.Encode(Frames.OfEachType());
        yield return [0, .. all];
        yield return [1, .. all];
        yield return [0x17, .. Frames.Encode([Large(PeerFrameType.Write), Large(PeerFrameType.ReadData)])];
        foreach ((PeerFrame Frame, byte[] Payload) each in Frames.OfEachType())
        {
            yield return [0, .. Frames.Encode([each, each])];
        }
    }

    public override byte[] FixUp(byte[] input) => input.Length == 0 ? input
        : [input[0], .. Frames.FixUp(input[1..])];

    public override void Run(byte[] input)
    {
        try
        {
            Receive(input.Length == 0 ? [0] : input);
        }
        catch
        {
            _wire = null;
            throw;
        }
    }

    // A payload longer than the input: the zeroes behind it go on with it.
    private static (PeerFrame Frame, byte[] Payload) Large(PeerFrameType type) => (new PeerFrame
    {
        Type = type,
        Sequence = 1,
        RangeBytes = 100_000,
        PayloadBytes = 100_000,
    }, new byte[100_000]);

    private void Receive(byte[] input)
    {
        _wire ??= new SimulatedWire();
        (IConnection server, SimulatedWire.Client client) = _wire.Connect();
        using var user = new RecordingUser(_wire.Loop, 1 + (input[0] & 3));
        using var chunks = new SendChunks(0);
        var stream = LinkStream.Of(_wire.Loop, server, new SecuredLink(Frames.Keys.RangeHashKey, null, null, default));
        var link = new AuthenticatedLink(stream, Frames.Keys, PeerHello.HighestVersion, new NodeId(new Guid(1, 0, 0, new byte[8])));
        var connection = new PeerConnection(_wire.Loop, link, user, isConnector: false, chunks);
        connection.Start();
        client.Send(input[1..]);
        client.Send(new byte[(input[0] >> 4 & 3) * 50_000]);
        client.CloseWhenSent();
        _wire.Until(() => user.Reason is not null, "the connection is closed");
        user.ReturnAll();
        BrokenProperty.Unless(user.Buffers.FreeSlots == user.Buffers.Slots, "no slot is lost");
        client.Close();
        _wire.Until(() => client.IsIdle, "the connection is gone");
    }

    /// <summary>
    /// Who hears what the connection brings: keeps to the rules of the interface, and checks what it is given.
    /// </summary>
    private sealed class RecordingUser(IIoLoop loop, int slots) : IPeerConnectionUser, IDisposable
    {
        private readonly List<IncomingIo> _taken = [];
        private readonly List<IoBuffer> _reads = [];

        public BufferPool Buffers { get; } = new(slots, PeerFrame.MaxDataBytes);

        public string? Reason { get; private set; }

        public IncomingIo RentIncoming() => new(_ => { });

        public void ReturnIncoming(IncomingIo incoming)
        {
            if (incoming.Slot is { } slot)
            {
                incoming.Slot = null;
                Buffers.Return(slot);
            }
        }

        public string? Arrived(IncomingIo write)
        {
            BrokenProperty.Unless(write.LengthBytes > 0, "a mutation has a range");
            BrokenProperty.Unless(
                write.Operation == VolumeOperation.Zero ? write.Slot is null && write.LengthBytes <= PeerFrame.MaxZeroBytes
                    : write.Slot is not null && write.LengthBytes <= PeerFrame.MaxDataBytes,
                "data has a slot and fits into it");
            if (write.Sequence == 13)
            {
                return "refused";
            }

            _taken.Add(write);
            loop.Post(ReturnAll);
            return null;
        }

        public string? FlushArrived(long throughSequence) => throughSequence < 0 ? "refused" : null;

        public string? ReadArrived(in PeerFrame question, IoBuffer slot)
        {
            BrokenProperty.Unless(question.RangeBytes is > 0 and <= PeerFrame.MaxDataBytes,
                "what is asked for fits into the slot");
            _reads.Add(slot);
            loop.Post(ReturnAll);
            return question.Sequence == 13 ? "refused" : null;
        }

        public void ReadAnswered(long number, ReadOnlySpan<byte> data) =>
            BrokenProperty.Unless(data.Length <= PeerFrame.MaxDataBytes, "an answer has a limit");

        public void HashAnswered(long sequence, RangeHash? theirs)
        {
        }

        public void Acknowledged(long sequence, long appliedNs)
        {
        }

        public void Received(long sequence)
        {
        }

        public void Durable(long throughSequence)
        {
        }

        public void Said(PeerMessage message) => BrokenProperty.Unless(
            PeerMessageCodec.Decode(PeerMessageCodec.Encode(message)) is not null, "what was said can be said again");

        public void Closed(PeerConnection connection, string reason)
        {
            BrokenProperty.Unless(Reason is null, "a connection is closed once");
            Reason = reason;
        }

        public void ReturnAll()
        {
            _taken.ForEach(ReturnIncoming);
            _taken.Clear();
            _reads.ForEach(Buffers.Return);
            _reads.Clear();
        }

        public void Dispose() => Buffers.Dispose();
    }
}
