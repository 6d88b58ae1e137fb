using System.Net;
using System.Net.Sockets;

namespace MirrorD.Lab.Clients;

/// <summary>A connection that sends what it likes and looks whether the other side closes.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket;

    private RawConnection(Socket socket) => _socket = socket;

    /// <summary>To a unix socket.</summary>
    public static RawConnection ToUnix(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return new RawConnection(socket);
    }

    /// <summary>To a TCP port; closing it resets, so that many of them leave no port waiting.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="port">Where to.</param>
    /// <param name="from">Own address; null: as the kernel chooses.</param>
    public static RawConnection ToTcp(string address, int port, string? from = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            LingerState = new LingerOption(true, 0),
        };
        if (from is not null)
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        }

        socket.Connect(new IPEndPoint(IPAddress.Parse(address), port));
        return new RawConnection(socket);
    }

    /// <summary>Sends; that the other side has closed already is no error.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _socket.Send(bytes);
        }
        catch (SocketException)
        {
            // Closed: what the test asks for next.
        }
    }

    /// <summary>Says that nothing more will come.</summary>
    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Closed by the other side.
        }
    }

    /// <summary>Reads exactly so many bytes.</summary>
    public byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int got = 0; got < count;)
        {
            int more = _socket.Receive(bytes, got, count - got, SocketFlags.None);
            got += more > 0 ? more : throw new EndOfStreamException($"closed after {got} of {count} bytes");
        }

        return bytes;
    }

    /// <summary>True when the other side closes, after whatever it still says, within the time.</summary>
    public bool IsClosedWithin(double seconds)
    {
        _socket.ReceiveTimeout = (int)(seconds * 1000);
        byte[] ignored = new byte[4096];
        try
        {
            while (_socket.Receive(ignored) > 0)
            {
            }

            return true;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown;
        }
    }

    public void Dispose() => _socket.Dispose();
}
