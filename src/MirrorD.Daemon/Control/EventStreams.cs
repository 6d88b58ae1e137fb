using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;
using Microsoft.AspNetCore.Http;

namespace MirrorD.Daemon.Control;

/// <summary>Server-sent events (WHATWG HTML, section 9.2): one "data:" line each.</summary>
internal sealed class EventStreams(MirrorDaemon daemon, CancellationToken stopping)
{
    // Changes come in bursts; the last picture of a burst is enough.
    private static readonly TimeSpan s_statusPause = TimeSpan.FromMilliseconds(200);

    // A comment now and then shows whether the reader is still there.
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(15);

    /// <summary>The status: at once, then after each change.</summary>
    public Task Status(HttpContext http) => Run(http, async stop =>
    {
        while (true)
        {
            Task next = daemon.Changes.Next;
            await Send(http, daemon.Status(), ApiJson.Compact.StatusReport, stop);
            await Task.Delay(s_statusPause, stop);
            await WaitFor(next, http, stop);
        }
    });

    /// <summary>Events after a sequence number: those that are there, then each new one.</summary>
    public Task Events(HttpContext http, long after) => Run(http, async stop =>
    {
        while (true)
        {
            (IReadOnlyList<EventReport> events, Task next) = daemon.Events.After(after);
            foreach (EventReport happened in events)
            {
                await Send(http, happened, ApiJson.Compact.EventReport, stop);
                after = happened.Sequence;
            }

            await WaitFor(next, http, stop);
        }
    });

    private static async Task Send<T>(HttpContext http, T value, JsonTypeInfo<T> type, CancellationToken stop)
    {
        await http.Response.WriteAsync($"data: {JsonSerializer.Serialize(value, type)}\n\n", stop);
        await http.Response.Body.FlushAsync(stop);
    }

    private static async Task WaitFor(Task next, HttpContext http, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await next.WaitAsync(s_keepAlive, stop);
                return;
            }
            catch (TimeoutException)
            {
                await http.Response.WriteAsync(": still here\n\n", stop);
                await http.Response.Body.FlushAsync(stop);
            }
        }
    }

    private async Task Run(HttpContext http, Func<CancellationToken, Task> stream)
    {
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            await stream(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The reader left, or the daemon stops.
        }
    }
}
