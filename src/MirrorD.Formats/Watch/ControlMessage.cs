namespace MirrorD.Formats.Watch;

/// <summary>
/// How a node answers the request to store Outdated (safety contract, section 5). Values are sent.
/// </summary>
public enum OutdateAnswer : byte
{
    /// <summary>Outdated is stored, for the session asked about.</summary>
    Stored = 1,
    /// <summary>Refused: the answering node is Primary.</summary>
    IsPrimary = 2,
    /// <summary>Refused: it holds a proof or grant for this session.</summary>
    HoldsProof = 3,
    /// <summary>Refused: its generation is not known to the asker.</summary>
    OtherGeneration = 4,
    /// <summary>Refused for now: it sees the link up; ask again.</summary>
    Connected = 5,
    /// <summary>Refused: it stores another session.</summary>
    OtherSession = 6,
    /// <summary>It can't answer now (loading, a disk failed): as if nobody had answered.</summary>
    Unable = 7,
}

/// <summary>
/// A message of the control channel: a datagram over every path (docs/internals/watch-protocol.md), repeated
/// by its sender until it is answered or pointless, so that a receiver handles each any number of times.
/// </summary>
public abstract record ControlMessage
{
    private ControlMessage()
    {
    }

    /// <summary>Asks the peer to store Outdated for this session.</summary>
    /// <param name="Session">The session that both joined last.</param>
    /// <param name="Current">The asker's current generation.</param>
    /// <param name="Bitmap">The asker's bitmap generation, or none.</param>
    /// <param name="History">The asker's earlier generations.</param>
    /// <param name="Nonce">Fresh for each loss of the link; the reply echoes it.</param>
    public sealed record OutdateRequest(
        SessionId Session, Generation Current, Generation Bitmap,
        IReadOnlyList<Generation> History, ulong Nonce)
        : ControlMessage;

    /// <summary>Answer to <see cref="OutdateRequest"/>.</summary>
    public sealed record OutdateReply(SessionId Session, ulong Nonce, OutdateAnswer Answer) : ControlMessage;

    /// <summary>
    /// Planned stop. <paramref name="IsOutdated"/>: the sender has stored Outdated for the session and
    /// generation, so the receiver may go on alone.
    /// </summary>
    public sealed record Goodbye(bool IsOutdated, SessionId Session, Generation Current) : ControlMessage;
}
