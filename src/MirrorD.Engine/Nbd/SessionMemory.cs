using MirrorD.Io;

namespace MirrorD.Engine.Nbd;

/// <summary>
/// The buffers and request objects of a session; reused from one session to the next, so that clients which
/// come and go cost next to nothing.
/// </summary>
internal sealed class SessionMemory : IDisposable
{
    private PendingRequest[] _requests = [];

    /// <summary>What the client sends comes here first.</summary>
    public IoBuffer Receive { get; } = new(SessionLimits.ReceiveBytes);

    /// <summary>Replies are gathered here.</summary>
    public IoBuffer Send { get; } = new(SessionLimits.SendBytes);

    /// <summary>Every piece, in use or not; empty until a session opened an export.</summary>
    public Piece[] Pieces { get; private set; } = [];

    /// <summary>Times of the requests whose replies are being sent; as many as there are requests.</summary>
    public ReplyTimes[] Replies { get; private set; } = [];

    /// <summary>Pieces that are not in use.</summary>
    public Stack<Piece> FreePieces { get; } = new();

    /// <summary>Requests that are not in use.</summary>
    public Stack<PendingRequest> FreeRequests { get; } = new();

    /// <summary>
    /// Makes all pieces and requests available to a session. Those of the one before are out of use by then:
    /// its pieces have come back, its requests are simply forgotten.
    /// </summary>
    /// <param name="session">The new owner.</param>
    /// <param name="count">How many; the same at every call.</param>
    public void Lend(NbdSession session, int count)
    {
        if (Pieces.Length == 0)
        {
            Pieces = [.. Enumerable.Range(0, count).Select(_ => new Piece())];
            Replies = new ReplyTimes[count];
            _requests = [.. Enumerable.Range(0, count).Select(_ => new PendingRequest())];
        }

        FreePieces.Clear();
        FreeRequests.Clear();
        for (int i = 0; i < count; i++)
        {
            Pieces[i].Reset(session);
            FreePieces.Push(Pieces[i]);
            _requests[i].Next = null;
            FreeRequests.Push(_requests[i]);
        }
    }

    /// <summary>Frees the buffers. No operation may be pending on them.</summary>
    public void Dispose()
    {
        Receive.Dispose();
        Send.Dispose();
    }
}
