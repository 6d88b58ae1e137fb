using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MirrorD.Flood;

/// <summary>
/// Strangers at a TCP port: always so many of them are connected or want to be. Each says its words (<see cref="Words"/>) and
/// then nothing; where one is closed by the other side, the next one comes.
/// </summary>
/// <param name="from">Their address.</param>
/// <param name="to">The port.</param>
/// <param name="connections">So many at a time.</param>
public sealed class Crowd(IPEndPoint from, IPEndPoint to, int connections)
{
    /// <summary>Between two times at which those that were closed are replaced.</summary>
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan s_told = TimeSpan.FromSeconds(0.5);

    /// <summary>So many come then until all are there once.</summary>
    private const int MostAtFirst = 100;

    /// <summary>So many are replaced later: the attacker is not to take the processors that the nodes need.</summary>
    private const int MostReplaced = 3;

    // linux/in.h. Else bind looks for a port that nobody uses at all, which gets slow with thousands.
    private const int BindAddressNoPort = 24;

    private int _open;
    private int _begun;
    private int _connected;
    private int _closed;

    /// <summary>Attempts so far.</summary>
    public int Begun => Volatile.Read(ref _begun);

    /// <summary>Those that the other side's kernel let in.</summary>
    public int Connected => Volatile.Read(ref _connected);

    /// <summary>Those that the other side has closed again, or never let in.</summary>
    public int Closed => Volatile.Read(ref _closed);

    /// <summary>Goes on until the process is ended.</summary>
    /// <param name="tell">Called now and then.</param>
    public async Task KeepUp(Action tell)
    {
        var told = Stopwatch.StartNew();
        using var pace = new PeriodicTimer(s_pace);
        while (true)
        {
            int most = Begun < connections ? MostAtFirst : MostReplaced;
            for (int room = Math.Min(most, connections - Volatile.Read(ref _open)); room > 0; room--)
            {
                Begin();
            }

            if (told.Elapsed >= s_told)
            {
                told.Restart();
                tell();
            }

            await pace.WaitForNextTickAsync();
        }
    }

    private void Begin()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            // Closing resets: no port is left waiting.
            LingerState = new LingerOption(true, 0),
        };
        socket.SetRawSocketOption((int)SocketOptionLevel.IP, BindAddressNoPort, BitConverter.GetBytes(1));
        socket.Bind(from);
        Interlocked.Increment(ref _open);
        _ = Stay(socket, Words.Of(Interlocked.Increment(ref _begun)));
    }

    private async Task Stay(Socket socket, byte[] said)
    {
        byte[] ignored = new byte[64];
        try
        {
            await socket.ConnectAsync(to);
            Interlocked.Increment(ref _connected);
            await socket.SendAsync(said);
            while (await socket.ReceiveAsync(ignored) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset, or never let in: both are what a flood is for.
        }

        socket.Dispose();
        Interlocked.Increment(ref _closed);
        Interlocked.Decrement(ref _open);
    }
}
