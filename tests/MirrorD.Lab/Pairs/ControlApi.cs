using System.Net.Sockets;

namespace MirrorD.Lab.Pairs;

/// <summary>
/// The daemon's control API, as curl would use it. For polling: a mirrorctl per question would keep the
/// machine busy.
/// </summary>
internal sealed class ControlApi(string socketPath)
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);

    /// <summary>Body of a successful GET.</summary>
    /// <exception cref="HttpRequestException">No daemon, or no success.</exception>
    public string Get(string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), stop);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        });
        using var timeout = new CancellationTokenSource(s_deadline);
        try
        {
            return client.GetStringAsync($"http://mirrord{path}", timeout.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            throw new HttpRequestException($"{socketPath} did not answer within {s_deadline.TotalSeconds:0} s");
        }
    }
}
