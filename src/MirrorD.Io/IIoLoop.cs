namespace MirrorD.Io;

/// <summary>
/// The one contract for input and output: operations are submitted, completions come back, in the order in
/// which they happened, only inside <see cref="Run"/>. One loop belongs to one thread; only
/// <see cref="Post"/>, <see cref="Stop"/> and <see cref="NowNs"/> may be used from others.
/// A submission never calls back before it returns. The completion of a send may come after that of a receive which answers
/// what was sent. Any number of disk operations may be pending at once and
/// they are not ordered with one another; a flush covers the writes that had *completed* when it was submitted.
/// An operation uses, and holds, the memory that its buffer had at the submission (<see cref="IoBuffer.Memory"/>).
/// At most one receive and one send may be pending per connection or datagram socket, one accept per
/// listener.
/// </summary>
public interface IIoLoop
{
    /// <summary>Monotonic time in nanoseconds (CLOCK_BOOTTIME).</summary>
    long NowNs { get; }

    /// <summary>Reads exactly the slice. Result: bytes read = length; beyond the end is -EINVAL.</summary>
    void Read(IDisk disk, long offset, BufferSlice into, IoOperation operation);

    /// <summary>Writes exactly the slice.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="offset">Byte offset.</param>
    /// <param name="from">The bytes; unchanged until completion.</param>
    /// <param name="durable">The write itself is on stable storage before it completes (FUA, RWF_DSYNC).</param>
    /// <param name="operation">Result: bytes written = length.</param>
    void Write(IDisk disk, long offset, BufferSlice from, bool durable, IoOperation operation);

    /// <summary>All writes, zeroes and discards that had completed at submission are stable at completion.</summary>
    void Flush(IDisk disk, IoOperation operation);

    /// <summary>Gives the range back to the device. -EOPNOTSUPP where the disk can't.</summary>
    void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation);

    /// <summary>Makes the range read as zeroes.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="offset">Byte offset.</param>
    /// <param name="lengthBytes">Length.</param>
    /// <param name="mayUnmap">The room may be given back; otherwise it stays allocated.</param>
    /// <param name="operation">Result 0.</param>
    void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation);

    /// <summary>
    /// Tells whether the run that begins at the offset is a hole. Result: length of the run in bytes, more than
    /// zero, at most <paramref name="lengthBytes"/> and at most 1 GiB; <see cref="IoOperation.IsHole"/> says what it is.
    /// </summary>
    void QueryAllocation(IDisk disk, long offset, long lengthBytes, IoOperation operation);

    /// <summary>
    /// Receives at least <paramref name="minimumBytes"/> (1 to the slice's length). Result: bytes received, at most
    /// the slice's length; fewer than the minimum (also 0) means that the other end closed after these.
    /// </summary>
    void Receive(IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation);

    /// <summary>Sends the whole slice. Result: its length. The slice is unchanged until completion.</summary>
    void Send(IConnection connection, BufferSlice from, IoOperation operation);

    /// <summary>Opens a listening socket; throws <see cref="IOException"/> that names endpoint and cause.</summary>
    IListener Listen(Endpoint endpoint);

    /// <summary>Accepts one connection: <see cref="IoOperation.Connection"/>.</summary>
    void Accept(IListener listener, IoOperation operation);

    /// <summary>Connects: <see cref="IoOperation.Connection"/>. Fails by itself after the time limit.</summary>
    void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation);

    /// <summary>
    /// Opens a bound and connected UDP socket. Several may share a local port when their remote ends differ.
    /// Throws <see cref="IOException"/> that names endpoint and cause; among them are an address or interface
    /// that is not there yet, and no route: another try may succeed.
    /// </summary>
    IDatagramSocket OpenDatagram(UdpEndpoint endpoint);

    /// <summary>
    /// Receives one datagram; the slice is not empty. Result: its bytes, 0 for an empty datagram; of a longer
    /// one the first bytes that fit, the rest is gone. Or what the network said of an earlier datagram:
    /// -ECONNREFUSED when nobody listens at the remote end (ICMP port unreachable). Such a message is told
    /// once, to a receive or send, whichever the kernel looks at first: mostly the pending receive. The socket
    /// stays usable after every error.
    /// </summary>
    void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation);

    /// <summary>
    /// Sends the slice as one datagram. Result: its length, which says nothing about arrival; or a negative
    /// errno: nothing was sent (ENETDOWN, ENETUNREACH, EHOSTUNREACH, EMSGSIZE, EPERM of a packet filter, or
    /// ECONNREFUSED of an earlier datagram). The socket stays usable. The slice is unchanged until completion.
    /// </summary>
    void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation);

    /// <summary>Completes with 0 when <see cref="NowNs"/> has reached the deadline.</summary>
    void StartTimer(long deadlineNs, IoOperation operation);

    /// <summary>A pending timer completes with -ECANCELED (in a later turn); otherwise nothing happens.</summary>
    void CancelTimer(IoOperation operation);

    /// <summary>From any thread: runs the action inside Run, in the order of posting.</summary>
    void Post(Action action);

    /// <summary>Delivers completions until <see cref="Stop"/> was called.</summary>
    void Run();

    /// <summary>From any thread: Run returns soon. Pending operations stay pending.</summary>
    void Stop();
}
