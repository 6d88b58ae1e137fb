namespace MirrorD.Io;

/// <summary>
/// A bound and connected UDP socket, owned by one loop. Datagrams that arrive while no receive is pending wait
/// in the socket, up to a limit; beyond it they are lost.
/// </summary>
public interface IDatagramSocket
{
    /// <summary>Its two ends; local port 0 is replaced by the port that was chosen.</summary>
    UdpEndpoint Endpoint { get; }

    /// <summary>
    /// Closes at once. Pending operations of this socket complete with -ECANCELED (or their own result)
    /// inside a later turn of Run; none completes after that. Idempotent.
    /// </summary>
    void Close();
}
