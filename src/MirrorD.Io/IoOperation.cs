namespace MirrorD.Io;

/// <summary>What an <see cref="IoOperation"/> was last submitted as.</summary>
public enum OperationKind
{
    /// <summary>Never submitted.</summary>
    None,
    /// <summary>Disk read.</summary>
    Read,
    /// <summary>Disk write.</summary>
    Write,
    /// <summary>Disk flush.</summary>
    Flush,
    /// <summary>Disk discard.</summary>
    Discard,
    /// <summary>Disk write zeroes.</summary>
    Zero,
    /// <summary>Disk allocation query.</summary>
    Allocation,
    /// <summary>Socket receive.</summary>
    Receive,
    /// <summary>Socket send.</summary>
    Send,
    /// <summary>Accept of a connection.</summary>
    Accept,
    /// <summary>Connect to a peer.</summary>
    Connect,
    /// <summary>Timer.</summary>
    Timer,
    /// <summary>Receive of one datagram.</summary>
    ReceiveDatagram,
    /// <summary>Send of one datagram.</summary>
    SendDatagram,
}

/// <summary>
/// One reusable operation: made once by its user, submitted to a loop, completed by the loop inside
/// <see cref="IIoLoop.Run"/>, then free to be submitted again (also from its own completion callback).
/// </summary>
public sealed class IoOperation
{
    private readonly Action<IoOperation> _completed;

    /// <summary>Makes an operation.</summary>
    /// <param name="completed">Called inside Run for each completion. Must not block.</param>
    /// <param name="state">Anything the user wants to find again.</param>
    public IoOperation(Action<IoOperation> completed, object? state = null)
    {
        _completed = completed;
        State = state;
    }

    /// <summary>The user's own state; the loop does not touch it.</summary>
    public object? State { get; set; }

    /// <summary>As what it was last submitted.</summary>
    public OperationKind Kind { get; private set; }

    /// <summary>True from submission until just before the callback.</summary>
    public bool IsPending { get; private set; }

    /// <summary>
    /// After completion: bytes or 0 on success, a negative errno (<see cref="Errno"/>) on failure.
    /// A timer that was cancelled has -<see cref="Errno.ECANCELED"/>.
    /// </summary>
    public int Result { get; private set; }

    /// <summary>After a successful accept or connect: the connection.</summary>
    public IConnection? Connection { get; private set; }

    /// <summary>After an allocation query: true when the run reads as zeroes and takes no room.</summary>
    public bool IsHole { get; private set; }

    /// <summary>For the implementation of a loop: its own bookkeeping of this operation.</summary>
    public object? LoopState { get; set; }

    /// <summary>For the implementation of a loop: notes the submission.</summary>
    public void Begin(OperationKind kind)
    {
        if (IsPending)
        {
            throw new InvalidOperationException($"The operation is still pending as {Kind}.");
        }

        Kind = kind;
        IsPending = true;
        Result = 0;
        Connection = null;
        IsHole = false;
    }

    /// <summary>For the implementation of a loop: completes the operation and calls its user.</summary>
    public void Complete(int result, IConnection? connection = null, bool isHole = false)
    {
        if (!IsPending)
        {
            throw new InvalidOperationException($"The {Kind} operation was completed twice.");
        }

        Result = result;
        Connection = connection;
        IsHole = isHole;
        IsPending = false;
        _completed(this);
    }
}
