using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;

namespace MirrorD.Control;

/// <summary>Calls the daemon of this node over its unix socket.</summary>
internal sealed class DaemonClient : IDisposable
{
    private const string DataPrefix = "data: ";

    private readonly string _socket;
    private readonly HttpClient _http;

    /// <summary>Nothing is connected yet.</summary>
    /// <param name="socket">The daemon's control socket.</param>
    /// <param name="node">The node that is meant; null for this one.</param>
    public DaemonClient(string socket, string? node = null)
    {
        _socket = socket;
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = Connect, UseProxy = false })
        {
            BaseAddress = new Uri("http://mirrord"),
            // A takeover may wait for hooks; the daemon has deadlines for every step of it.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (node is not null)
        {
            _http.DefaultRequestHeaders.TryAddWithoutValidation(ApiPaths.NodeHeader, node);
        }
    }

    /// <summary>Reads a report.</summary>
    public async Task<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken stop)
    {
        using HttpResponseMessage response = await Send(
            new HttpRequestMessage(HttpMethod.Get, path), false, stop);
        return await ReadBody(response, type, stop);
    }

    /// <summary>Runs a command. A refusal is a reply like any other.</summary>
    public async Task<CommandReply> Command(string path, HttpContent? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        using HttpResponseMessage response = await Send(request, true, stop);
        return await ReadBody(response, ApiJson.Compact.CommandReply, stop);
    }

    /// <summary>The same, with something in JSON as its body.</summary>
    public Task<CommandReply> Command<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken stop) =>
        Command(path, new StringContent(JsonSerializer.Serialize(body, type), Encoding.UTF8, "application/json"), stop);

    /// <summary>Reads server-sent events until the daemon ends them.</summary>
    public async IAsyncEnumerable<T> Stream<T>(
        string path, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken stop)
    {
        using HttpResponseMessage response = await Send(
            new HttpRequestMessage(HttpMethod.Get, path), false, stop);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        while (await ReadLine(reader, stop) is { } line)
        {
            if (line.StartsWith(DataPrefix, StringComparison.Ordinal))
            {
                yield return JsonSerializer.Deserialize(line.AsSpan(DataPrefix.Length), type)
                    ?? throw Broken("an empty event");
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<string?> ReadLine(StreamReader reader, CancellationToken stop)
    {
        try
        {
            return await reader.ReadLineAsync(stop);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task<T> ReadBody<T>(
        HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken stop)
    {
        try
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(stop);
            return await JsonSerializer.DeserializeAsync(body, type, stop) ?? throw Broken("nothing");
        }
        catch (JsonException)
        {
            throw Broken($"something that is no {typeof(T).Name}");
        }
        catch (IOException)
        {
            throw Broken("only a part");
        }
    }

    private async Task<HttpResponseMessage> Send(
        HttpRequestMessage request, bool refusalIsReply, CancellationToken stop)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        }
        catch (HttpRequestException failed)
        {
            throw Unreachable(failed);
        }

        if (response.IsSuccessStatusCode
            || (refusalIsReply && response.StatusCode == HttpStatusCode.Conflict))
        {
            return response;
        }

        using (response)
        {
            CommandReply error = await ReadBody(response, ApiJson.Compact.CommandReply, stop);
            int code = response.StatusCode == HttpStatusCode.BadGateway ? ExitCode.Unreachable : ExitCode.Failed;
            throw new CommandFailure(code, error.Message, error.Remedy);
        }
    }

    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext _, CancellationToken stop)
    {
        try
        {
            return await Connect(_socket, stop);
        }
        catch (SocketException denied) when (denied.SocketErrorCode == SocketError.AccessDenied)
        {
            if (await ConnectForReading(stop) is { } reading)
            {
                return reading;
            }

            throw;
        }
    }

    /// <summary>Those who may only read have a socket of their own; null where that can't be used either.</summary>
    private async Task<Stream?> ConnectForReading(CancellationToken stop)
    {
        try
        {
            string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_socket))!, ApiPaths.ReadSocketName);
            return await Connect(beside, stop);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task<Stream> Connect(string path, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private CommandFailure Unreachable(Exception failed)
    {
        SocketError? cause = (failed.InnerException as SocketException)?.SocketErrorCode;
        (string why, string remedy) = cause switch
        {
            SocketError.AccessDenied => (
                "this user may not use it",
                "run this as root or as a member of the group mirrord, or to read only, of mirrord-read"),
            SocketError.ConnectionRefused => (
                "nobody listens there", "start the daemon with 'systemctl start mirrord'"),
            _ when !File.Exists(_socket) => (
                "it is not there",
                "start the daemon with 'systemctl start mirrord', or name its socket with --socket"),
            _ => (failed.InnerException?.Message ?? failed.Message, "look into 'journalctl -u mirrord'"),
        };
        return new CommandFailure(
            ExitCode.Unreachable, $"the daemon can't be reached at {_socket}: {why.TrimEnd('.')}", remedy);
    }

    private CommandFailure Broken(string what) => new(
        ExitCode.Failed, $"the daemon at {_socket} answered with {what}",
        "check that daemon and mirrorctl are of one version");
}
