using System.Net;
using System.Net.Sockets;
using System.Text;
using MirrorD.Daemon.Forwarding;
using MirrorD.Daemon.Logging;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Metrics;

/// <summary>
/// Shows the metrics on a TCP port, to whoever asks: plain HTTP, GET /metrics and nothing else, one request for each
/// connection. Bounded in connections, their rate, their time (<see cref="Strangers"/>) and what is read of them; the text is
/// made once a second at most, with its header, and all who ask get the same bytes.
/// </summary>
internal sealed class MetricsListener : IAsyncDisposable
{
    /// <summary>Most bytes of a request; what Prometheus sends has a few hundred.</summary>
    private const int MostRequestBytes = 8 * 1024;

    /// <summary>Connections that wait in the kernel.</summary>
    private const int Backlog = 16;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_kept = TimeSpan.FromSeconds(1);

    private readonly IPEndPoint _endpoint;
    private readonly Func<string> _text;
    private readonly ILogger _logger;
    private readonly Strangers _strangers = new(TimeProvider.System);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly Task _listening;
    private byte[] _page = [];
    private long _madeAt;

    /// <summary>Begins to listen. An address that is not there yet is tried again.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="text">Makes the text; any thread.</param>
    /// <param name="logger">Told once when it can't listen.</param>
    public MetricsListener(IPEndPoint endpoint, Func<string> text, ILogger logger)
    {
        _endpoint = endpoint;
        _text = text;
        _logger = logger;
        _listening = Task.Run(Listen);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _listening;
        _stopping.Dispose();
    }

    private async Task Listen()
    {
        bool told = false;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                using var listener = new TcpListener(_endpoint);
                listener.Start(Backlog);
                told = false;
                await Accept(listener);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException failed)
            {
                if (!told)
                {
                    told = true;
                    MetricsLog.CannotListen(_logger, _endpoint.ToString(), failed.Message);
                }

                await Task.Delay(s_retry, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task Accept(TcpListener listener)
    {
        while (true)
        {
            Socket caller = await listener.AcceptSocketAsync(_stopping.Token);
            Stranger stranger = _strangers.Enter(
                (caller.RemoteEndPoint as IPEndPoint)?.Address, s_limit, _stopping.Token);
            _ = Serve(caller, stranger);
            if (_strangers.Count() is { Ticks: > 0 } pause)
            {
                await Task.Delay(pause, _stopping.Token);
            }
        }
    }

    private async Task Serve(Socket caller, Stranger stranger)
    {
        using Socket closed = caller;
        try
        {
            byte[] answer = AnswerTo(await Request(caller, stranger.Ended));
            for (int sent = 0; sent < answer.Length;)
            {
                sent += await caller.SendAsync(answer.AsMemory(sent), stranger.Ended);
            }

            caller.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException)
        {
            // Whoever asked left, or did not say what it wants.
        }
        catch (Exception failed)
        {
            MetricsLog.Failed(_logger, failed);
        }
        finally
        {
            _strangers.Leave(stranger);
        }
    }

    /// <summary>The head of a request; what has come when it is too long or ends early.</summary>
    private static async Task<string> Request(Socket caller, CancellationToken stop)
    {
        byte[] bytes = new byte[MostRequestBytes];
        int received = 0;
        while (received < bytes.Length && bytes.AsSpan(0, received).IndexOf("\r\n\r\n"u8) < 0)
        {
            int more = await caller.ReceiveAsync(bytes.AsMemory(received), stop);
            if (more == 0)
            {
                break;
            }

            received += more;
        }

        return Encoding.Latin1.GetString(bytes, 0, received);
    }

    private byte[] AnswerTo(string request)
    {
        bool isWhole = request.Contains("\r\n\r\n", StringComparison.Ordinal);
        return request.Split('\n')[0].TrimEnd('\r').Split(' ') switch
        {
            [var method, var path, "HTTP/1.0" or "HTTP/1.1"] when isWhole =>
                method != "GET" ? Answer("405 Method Not Allowed", "only GET\n"u8, "Allow: GET\r\n")
                : path.Split('?')[0] != "/metrics" ? Answer("404 Not Found", "only /metrics is here\n"u8)
                : Page(),
            _ => Answer("400 Bad Request", "no request of HTTP/1.1 within 8 KiB\n"u8),
        };
    }

    private byte[] Page()
    {
        lock (_lock)
        {
            if (_page.Length == 0 || TimeProvider.System.GetElapsedTime(_madeAt) >= s_kept)
            {
                _page = Answer("200 OK", Encoding.UTF8.GetBytes(_text()));
                _madeAt = TimeProvider.System.GetTimestamp();
            }

            return _page;
        }
    }

    private static byte[] Answer(string status, ReadOnlySpan<byte> body, string header = "") =>
    [
        .. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {MetricsText.ContentType}\r\n"
            + $"Content-Length: {body.Length}\r\n{header}Connection: close\r\n\r\n"),
        .. body,
    ];
}
