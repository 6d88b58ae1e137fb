using System.Net;
using System.Net.Sockets;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Clients;

/// <summary>Datagrams of random bytes to a UDP port, about a thousand each second.</summary>
public sealed class DatagramFlood : IDisposable
{
    private const int MostBytes = 1400;
    private const int Burst = 10;
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(10);
    private readonly ManualResetEventSlim _ended = new();
    private readonly Task _running;
    private int _sent;

    /// <summary>Begins.</summary>
    public DatagramFlood(Host host, string from, string to, int port) => _running = Task.Factory.StartNew(
        () => HostThread.Run(host, () => Send(from, new IPEndPoint(IPAddress.Parse(to), port))),
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Sent so far.</summary>
    public int Sent => Volatile.Read(ref _sent);

    public void Dispose()
    {
        _ended.Set();
        _running.Wait();
    }

    private void Send(string from, IPEndPoint to)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        var random = new Random(5);
        byte[] bytes = new byte[MostBytes];
        do
        {
            for (int i = 0; i < Burst; i++)
            {
                random.NextBytes(bytes);
                try
                {
                    socket.SendTo(bytes.AsSpan(0, random.Next(1, MostBytes)), to);
                    Interlocked.Increment(ref _sent);
                }
                catch (SocketException)
                {
                    // Nobody listens there just now.
                }
            }
        }
        while (!_ended.Wait(s_pace));
    }
}
