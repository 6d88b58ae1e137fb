using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>Who hears what a connection brings.</summary>
internal interface IPeerConnectionUser
{
    /// <summary>Slots for received data.</summary>
    BufferPool Buffers { get; }

    /// <summary>A free object for a received mutation.</summary>
    IncomingIo RentIncoming();

    /// <summary>The object was not taken after all.</summary>
    void ReturnIncoming(IncomingIo incoming);

    /// <summary>A mutation; null when taken, else why it breaks the protocol.</summary>
    string? Arrived(IncomingIo write);

    /// <summary>A flush request; null when taken, else why it breaks the protocol.</summary>
    string? FlushArrived(long throughSequence);

    /// <summary>
    /// The peer wants to read, or the hash of what a read would give; the slot is for the data. Null when taken, else why it breaks the protocol.
    /// </summary>
    string? ReadArrived(in PeerFrame question, IoBuffer slot);

    /// <summary>The peer's answer to a read: its data, valid during the call, or nothing when it failed.</summary>
    void ReadAnswered(long number, ReadOnlySpan<byte> data);

    /// <summary>The peer's hash of a range; null when it can't read that.</summary>
    void HashAnswered(long sequence, RangeHash? theirs);

    /// <summary>The peer has completed a mutation.</summary>
    void Acknowledged(long sequence, long appliedNs);

    /// <summary>The peer has a mutation in memory.</summary>
    void Received(long sequence);

    /// <summary>The peer has flushed.</summary>
    void Durable(long throughSequence);

    /// <summary>A control message.</summary>
    void Said(PeerMessage message);

    /// <summary>The connection is closed and nothing more comes from it.</summary>
    void Closed(PeerConnection connection, string reason);
}
