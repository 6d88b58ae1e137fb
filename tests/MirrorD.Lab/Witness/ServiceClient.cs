using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MirrorD.Lab.Networks;

namespace MirrorD.Lab.Witness;

/// <summary>
/// A client on another host that keeps a TCP connection to the service address, asks over and over who is there, and
/// connects again when the connection ends.
/// </summary>
public sealed class ServiceClient : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromMilliseconds(500);
    private static readonly IPEndPoint s_service = new(IPAddress.Parse(Lab.ServiceAddress), ServiceEcho.Port);

    private readonly Host _host;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private readonly List<(string Node, TimeSpan First, TimeSpan Last)> _answers = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Thread _thread;
    private Socket? _socket;

    /// <summary>Starts it.</summary>
    public ServiceClient(Host host)
    {
        _host = host;
        _thread = new Thread(() => HostThread.Run(_host, Run)) { IsBackground = true, Name = "client of the service" };
        _thread.Start();
    }

    /// <summary>Who answered, in order, each with the time of its first and last answer; equal ones in a row are one.</summary>
    public IReadOnlyList<(string Node, TimeSpan First, TimeSpan Last)> Answers
    {
        get
        {
            lock (_gate)
            {
                return [.. _answers];
            }
        }
    }

    /// <summary>Who answered last; null before the first answer.</summary>
    public string? Last => Answers is [.., var last] ? last.Node : null;

    /// <summary>Connections that ended.</summary>
    public int Reconnects { get; private set; }

    /// <summary>From the last answer of the one before to the first of the present one.</summary>
    public TimeSpan Interruption => Answers is [.., var before, var now] ? now.First - before.Last : TimeSpan.Zero;

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        lock (_gate)
        {
            _socket?.Dispose();
        }

        _thread.Join(TimeSpan.FromSeconds(10));
    }

    private void Run()
    {
        while (!_stop.IsSet)
        {
            try
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                lock (_gate)
                {
                    _socket = socket;
                }

                // An unanswered connect does not sit out the kernel's backoff of seconds: users try again as well.
                using var patience = new CancellationTokenSource(ConnectPatience);
                socket.NoDelay = true;
                socket.ConnectAsync(s_service, patience.Token).AsTask().GetAwaiter().GetResult();
                Ask(socket);
            }
            catch (Exception ended)
                when (ended is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                Reconnects++;
                _stop.Wait(Pace);
            }
        }
    }

    // Without a timeout: an established connection ends only when somebody says so, as with most programs.
    private void Ask(Socket socket)
    {
        byte[] answer = new byte[64];
        while (!_stop.Wait(Pace))
        {
            socket.Send("?"u8);
            int count = socket.Receive(answer);
            if (count == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            Note(Encoding.ASCII.GetString(answer, 0, count));
        }
    }

    private void Note(string node)
    {
        TimeSpan now = _clock.Elapsed;
        lock (_gate)
        {
            if (_answers is [.., var last] && last.Node == node)
            {
                _answers[^1] = (node, last.First, now);
            }
            else
            {
                _answers.Add((node, now, now));
            }
        }
    }
}
