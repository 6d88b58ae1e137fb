using System.Net;
using System.Net.Sockets;
using System.Text;
using MirrorD.Daemon.Forwarding;
using MirrorD.Daemon.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace MirrorD.Daemon.Tests.Metrics;

public sealed class MetricsListenerTests : IAsyncLifetime
{
    private readonly IPEndPoint _endpoint = new(IPAddress.Loopback, FreePort());
    private MetricsListener _listener = null!;
    private int _made;

    public async Task InitializeAsync()
    {
        _listener = new MetricsListener(_endpoint, () => $"made {Interlocked.Increment(ref _made)}\n", NullLogger.Instance);
        await Within.Until(async () => (await Said("GET /metrics HTTP/1.1\r\n\r\n")).Length > 0, "the port to answer");
    }

    public async Task DisposeAsync() => await _listener.DisposeAsync();

    [Theory]
    [InlineData("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK")]
    [InlineData("GET /metrics?x=1 HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found")]
    [InlineData("GET /v1/status HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found")]
    [InlineData("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed")]
    [InlineData("PUT /v1/resources/mail/promote HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed")]
    [InlineData("hello\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("\u0016\u0003\u0001\u0000\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    public async Task Only_a_get_of_metrics_is_answered_with_them(string request, string status)
    {
        string answer = await Said(request);
        Assert.StartsWith(status + "\r\n", answer);
        Assert.Equal(status.Contains("200"), answer.Contains("\r\n\r\nmade "));
    }

    [Fact]
    public async Task A_request_that_is_too_long_or_ends_early_is_refused()
    {
        string tooLong = "GET /metrics HTTP/1.1\r\nX: ".PadRight(8 * 1024, 'x');
        Assert.StartsWith("HTTP/1.1 400 ", await Said(tooLong));
        Assert.StartsWith("HTTP/1.1 400 ", await Said("GET /metrics HTTP/1.1\r\n", isAll: true));
    }

    [Fact]
    public async Task Prometheus_reads_it_while_others_hold_connections_and_say_nothing()
    {
        var silent = new List<Socket>();
        for (int i = 0; i < 2 * Strangers.Most; i++)
        {
            silent.Add(await Connected());
        }

        using var http = new HttpClient();
        HttpResponseMessage response = await Within.Deadline(http.GetAsync($"http://{_endpoint}/metrics"), "an answer");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", $"{response.Content.Headers.ContentType}");
        Assert.StartsWith("made ", await response.Content.ReadAsStringAsync());
        silent.ForEach(one => one.Dispose());
    }

    [Fact]
    public async Task However_many_ask_the_text_is_made_once_a_second()
    {
        long began = TimeProvider.System.GetTimestamp();
        int before = Volatile.Read(ref _made);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Said("GET /metrics HTTP/1.1\r\n\r\n")));
        int made = Volatile.Read(ref _made) - before;
        Assert.InRange(made, 0, 1 + (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds);
    }

    private async Task<string> Said(string request, bool isAll = false)
    {
        try
        {
            using Socket socket = await Connected();
            using var stream = new NetworkStream(socket);
            await socket.SendAsync(Encoding.Latin1.GetBytes(request));
            if (isAll)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            using var reader = new StreamReader(stream);
            return await Within.Deadline(reader.ReadToEndAsync(), "the answer's end");
        }
        catch (SocketException)
        {
            return "";
        }
    }

    private async Task<Socket> Connected()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_endpoint);
        return socket;
    }

    /// <summary>A TCP port of loopback that nobody has.</summary>
    internal static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
