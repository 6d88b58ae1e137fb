using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Nbd;

/// <summary>Sizes within a session, with their reasons.</summary>
internal static class SessionLimits
{
    /// <summary>Receive buffer in bytes: some fifteen pipelined 4 KiB writes in one receive.</summary>
    public const int ReceiveBytes = 64 << 10;

    /// <summary>
    /// Receive in bytes while large writes come: little of a payload is then copied, most is received
    /// straight into its slot.
    /// </summary>
    public const int ReceiveBytesAmongLargeWrites = 4 << 10;

    /// <summary>Send buffer in bytes: replies that are ready together leave in one send.</summary>
    public const int SendBytes = 64 << 10;

    /// <summary>
    /// Payloads up to this many bytes are copied between slot and session buffer, which costs less than a
    /// system call of their own; and no slot waits for the rest of such a write.
    /// </summary>
    public const int CopiedBytes = 16 << 10;

    /// <summary>Longest data of an option in bytes; it must fit the receive buffer. Longer closes.</summary>
    public const int OptionBytes = 16 << 10;

    /// <summary>Options per connection; a client that sends more is not negotiating.</summary>
    public const int Options = 256;

    /// <summary>Payload in bytes of a write that is too long but still consumed; longer closes.</summary>
    public const uint ConsumedPayloadBytes = 2u * NbdLimits.PayloadBytes;

    /// <summary>
    /// Slots that one read fills at a time, so that a 32 MiB read does not flood the disk queue.
    /// </summary>
    public const int SlotsPerRead = 16;

    /// <summary>
    /// Slots of a read with a simple reply, all filled before its header is sent, so that errors in
    /// the first megabyte can still be told.
    /// </summary>
    public const int SlotsPerSimpleRead = 8;

    /// <summary>
    /// Bytes of one discard or zero request; longer ranges are passed on one after the other.
    /// </summary>
    public const long RangePieceBytes = 64 << 20;

    /// <summary>Extents of one block status reply; the client asks on from where it ends.</summary>
    public const int Extents = 512;

    /// <summary>Allocation queries for one block status request, bounding its time.</summary>
    public const int QueriesPerBlockStatus = 1024;

    /// <summary>
    /// Exports of a server; a list of them, with names of the length below, fits the send buffer.
    /// </summary>
    public const int Exports = 128;

    /// <summary>Length in bytes of an export's name.</summary>
    public const int ExportNameBytes = 256;

    /// <summary>Longest text in bytes in an error reply.</summary>
    public const int ErrorTextBytes = 512;

    /// <summary>Identifier of base:allocation on the wire.</summary>
    public const uint AllocationContext = 1;

    /// <summary>
    /// Memory in bytes of a client without TLS, for each direction; also most bytes of its handshake. A certificate and all
    /// that TLS 1.3 says around it are less than 4 KiB.
    /// </summary>
    public const int StrangerBytes = 16 << 10;

    /// <summary>Longest data in bytes of an option before TLS: two names of any length that is allowed fit.</summary>
    public const int PlainOptionBytes = 9 << 10;

    /// <summary>Options before TLS; clients that prefer none try two or three.</summary>
    public const int PlainOptions = 16;

    /// <summary>Clients without TLS that may come at once, before their rate is bounded.</summary>
    public const int StrangerBurst = 32;

    /// <summary>Time in nanoseconds between two of them beyond that: 200 a second.</summary>
    public const long StrangerIntervalNs = 5_000_000;

    /// <summary>Different causes told of clients without TLS within a while.</summary>
    public const int ToldCauses = 64;

    /// <summary>Pause in nanoseconds after a failed accept (no file descriptors, no memory).</summary>
    public const long AcceptRetryNs = 100_000_000;
}
