using System.Net;
using System.Net.Sockets;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Clients;

/// <summary>
/// Says recorded datagrams again, from the addresses and ports that they came from, over and over, about a thousand each
/// second.
/// </summary>
public sealed class DatagramReplay : IDisposable
{
    private const int Burst = 10;
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(10);
    private readonly ManualResetEventSlim _ended = new();
    private readonly Task _running;
    private int _sent;

    /// <summary>
    /// Begins, on the host that has the addresses; whoever had the ports has ended. They become free a moment later: the kernel
    /// ends the receives of an io_uring only after its process.
    /// </summary>
    public DatagramReplay(Host host, IReadOnlyList<RecordedDatagram> datagrams) => _running = Task.Factory.StartNew(
        () => HostThread.Run(host, () => Send(datagrams)),
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Sent so far.</summary>
    public int Sent => Volatile.Read(ref _sent);

    /// <summary>It goes on.</summary>
    public bool IsRunning => !_running.IsCompleted;

    public void Dispose()
    {
        _ended.Set();
        _running.Wait();
    }

    private void Send(IReadOnlyList<RecordedDatagram> datagrams)
    {
        var sockets = new Dictionary<IPEndPoint, Socket>();
        try
        {
            foreach (IPEndPoint from in datagrams.Select(each => each.From).Distinct())
            {
                sockets[from] = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                Wait.For($"{from} to be free", 30, () => IsBound(sockets[from], from));
            }

            int next = 0;
            do
            {
                for (int i = 0; i < Burst; i++)
                {
                    RecordedDatagram datagram = datagrams[next++ % datagrams.Count];
                    Say(sockets[datagram.From], datagram);
                }
            }
            while (!_ended.Wait(s_pace));
        }
        finally
        {
            foreach (Socket socket in sockets.Values)
            {
                socket.Dispose();
            }
        }
    }

    private static bool IsBound(Socket socket, IPEndPoint address)
    {
        try
        {
            socket.Bind(address);
            return true;
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    private void Say(Socket socket, RecordedDatagram datagram)
    {
        try
        {
            socket.SendTo(datagram.Bytes, datagram.To);
            Interlocked.Increment(ref _sent);
        }
        catch (SocketException)
        {
            // Nobody listens there just now.
        }
    }
}
