using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace MirrorD.Machines.Devices;

/// <summary>A unix socket of QEMU on which JSON lines come and go.</summary>
internal sealed class LineSocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly byte[] _received = new byte[64 << 10];
    private readonly MemoryStream _line = new();
    private int _next;
    private int _end;

    /// <summary>Connects; QEMU listens from its start on.</summary>
    /// <exception cref="SocketException">Nobody listens.</exception>
    public LineSocket(string path)
    {
        try
        {
            _socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends all of it.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>Sends a line.</summary>
    public void Send(string line) => Send(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>
    /// The next line without its end. What was received of an unfinished line is kept for the next call.
    /// </summary>
    /// <param name="deadline">How long at most.</param>
    /// <param name="sentinel">
    /// A byte that begins a line anew: what came before it on the line is dropped.
    /// </param>
    /// <exception cref="TimeoutException">No whole line came.</exception>
    /// <exception cref="IOException">The other end is closed.</exception>
    public string ReadLine(TimeSpan deadline, byte? sentinel = null)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            while (_next < _end)
            {
                byte value = _received[_next++];
                if (value == '\n')
                {
                    string line = Encoding.UTF8.GetString(_line.GetBuffer(), 0, (int)_line.Length);
                    _line.SetLength(0);
                    return line;
                }

                if (value == sentinel)
                {
                    _line.SetLength(0);
                }
                else
                {
                    _line.WriteByte(value);
                }
            }

            Receive(deadline - clock.Elapsed);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _line.Dispose();
    }

    private void Receive(TimeSpan within)
    {
        if (within <= TimeSpan.Zero || !_socket.Poll(within, SelectMode.SelectRead))
        {
            throw new TimeoutException("no answer");
        }

        _next = 0;
        _end = _socket.Receive(_received);
        if (_end == 0)
        {
            throw new IOException("the other end is closed");
        }
    }
}
