using System.Net;
using System.Net.Sockets;
using System.Text;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Witness;

/// <summary>
/// A service on a node: TCP on the service address, whether the node holds it or not (IP_FREEBIND), which answers each
/// byte with the node's name. Whoever reaches the address talks to the node that holds it.
/// </summary>
public sealed class ServiceEcho : IDisposable
{
    /// <summary>Its TCP port.</summary>
    public const int Port = 7;

    // ip(7): allows binding to an address that the host does not have.
    private const SocketOptionName FreeBind = (SocketOptionName)15;

    private readonly byte[] _answer;
    private readonly Socket _listener;
    private readonly List<Socket> _clients = [];
    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Starts it.</summary>
    public ServiceEcho(Host host)
    {
        _answer = Encoding.ASCII.GetBytes(host.Name);
        Socket? listener = null;
        HostThread.Run(host, () =>
        {
            listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.SetRawSocketOption((int)SocketOptionLevel.IP, (int)FreeBind, BitConverter.GetBytes(1));
            listener.Bind(new IPEndPoint(IPAddress.Parse(Lab.ServiceAddress), Port));
            listener.Listen();
        });
        _listener = listener!;
        new Thread(Accept) { IsBackground = true, Name = $"service on {host.Name}" }.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _listener.Dispose();
            _clients.ForEach(client => client.Dispose());
        }
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket client = _listener.Accept();
                lock (_gate)
                {
                    if (_disposed)
                    {
                        client.Dispose();
                        return;
                    }

                    _clients.Add(client);
                }

                new Thread(() => Answer(client)) { IsBackground = true, Name = "service" }.Start();
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private void Answer(Socket client)
    {
        try
        {
            byte[] question = new byte[1];
            while (client.Receive(question) == 1)
            {
                client.Send(_answer);
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The client went away.
        }
    }
}
