using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;
using MirrorD.Daemon.Metrics;
using MirrorD.Daemon.Resources;
using MirrorD.Daemon.Startup;
using MirrorD.Engine.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using static MirrorD.Daemon.Control.ApiReply;

namespace MirrorD.Daemon.Control;

/// <summary>The control API: paths, bodies and codes as docs/api.md says.</summary>
internal sealed class ControlApi(MirrorDaemon daemon, CallGuard guard, CancellationToken stopping)
{
    /// <summary>Largest body of a request; the largest legal one is a few dozen bytes.</summary>
    public const long MostBodyBytes = 16 * 1024;

    public void Map(IEndpointRouteBuilder routes)
    {
        var streams = new EventStreams(daemon, stopping);
        routes.MapGet(
            ApiPaths.Version, Guarded(http => Reply(http, Version(), ApiJson.Compact.VersionReport)));
        routes.MapGet(
            ApiPaths.Status, Guarded(http => Reply(http, daemon.Status(), ApiJson.Compact.StatusReport)));
        routes.MapGet(ApiPaths.Events, Guarded(ListEvents));
        routes.MapGet(ApiPaths.Load, Guarded(http => Reply(http, daemon.Load(), ApiJson.Compact.LoadReport)));
        routes.MapGet(ApiPaths.Metrics, Guarded(http => Text(http, daemon.Metrics(), MetricsText.ContentType)));
        routes.MapGet(ApiPaths.History, Guarded(ListHistory));
        routes.MapGet(ApiPaths.StatusStream, Guarded(streams.Status));
        routes.MapGet(ApiPaths.EventStream, Guarded(http =>
            AfterOf(http) is { } after ? streams.Events(http, after) : BadAfter(http)));
        routes.MapGet(ApiPaths.Explain, Guarded(http => OnResource(http, resource =>
            Reply(http, daemon.Explain(resource), ApiJson.Compact.ExplainReport))));
        routes.MapPost(ApiPaths.NotifyTest, Guarded(TestNotification));
        routes.MapPost(ApiPaths.Promote, Guarded(Promote));
        routes.MapPost(ApiPaths.Demote, Guarded(Demote));
        routes.MapPost(ApiPaths.Switchover, Guarded(Switchover));
        routes.MapPost(ApiPaths.Detach, Guarded(http => Command(http, new ResourceCommand.Detach())));
        routes.MapPost(ApiPaths.Attach, Guarded(http => Command(http, new ResourceCommand.Attach())));
        routes.MapPost(ApiPaths.Discard, Guarded(http => Command(http, new ResourceCommand.DiscardCopy())));
        routes.MapPost(ApiPaths.OpenCopy, Guarded(http => Command(http, new ResourceCommand.OpenCopy())));
        routes.MapPost(ApiPaths.CloseCopy, Guarded(http => Command(http, new ResourceCommand.CloseCopy())));
        routes.MapPost(ApiPaths.Revert, Guarded(http => Command(http, new ResourceCommand.Revert())));
        routes.MapPost(ApiPaths.PauseSync, Guarded(http => Command(http, new ResourceCommand.PauseSync())));
        routes.MapPost(ApiPaths.ResumeSync, Guarded(http => Command(http, new ResourceCommand.ResumeSync())));
        routes.MapPost(ApiPaths.Verify, Guarded(Verify));
        routes.MapPost(ApiPaths.StopVerify, Guarded(http => Command(http, new ResourceCommand.StopVerify())));
        routes.MapPost(ApiPaths.Resize, Guarded(Resize));
        routes.MapPost(ApiPaths.ReplacePeer, Guarded(http => Command(http, new ResourceCommand.ReplacePeer())));
        routes.MapPost(ApiPaths.Disconnect, Guarded(http => Command(http, new ResourceCommand.Disconnect())));
        routes.MapPost(ApiPaths.Connect, Guarded(http => Command(http, new ResourceCommand.Connect())));
        routes.MapPost(ApiPaths.Invalidate, Guarded(http => Command(http, new ResourceCommand.Invalidate())));
        routes.MapFallback("{*path}", Guarded(http => Fail(
            http, StatusCodes.Status404NotFound, $"the API has no {http.Request.Method} {http.Request.Path}",
            "docs/api.md lists its paths")));
    }

    private static long? AfterOf(HttpContext http)
    {
        string? text = http.Request.Query["after"];
        return text is null ? 0
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long after) ? after
            : null;
    }

    private static Task BadAfter(HttpContext http) => Fail(
        http, StatusCodes.Status400BadRequest,
        $"'{http.Request.Query["after"]}' is no sequence number of an event",
        "write ?after= with the number of the last event seen");

    private VersionReport Version() => new()
    {
        Version = MirrorDaemon.Version,
        Node = daemon.Context.Name,
        ProcessId = Environment.ProcessId,
        Io = LoopChoice.NameOf(daemon.Context.Loops.Kind),
    };

    private Task ListEvents(HttpContext http) => AfterOf(http) is { } after
        ? Reply(http, new EventList { Events = daemon.Events.After(after).Events }, ApiJson.Compact.EventList)
        : BadAfter(http);

    private Task ListHistory(HttpContext http)
    {
        string? name = http.Request.Query["resource"];
        return name is not null && daemon.Find(name) is null
            ? NoResource(http, name)
            : Reply(
                http, new HistoryList { Records = daemon.History.Of(name) }, ApiJson.Compact.HistoryList);
    }

    private async Task Promote(HttpContext http)
    {
        if (await BodyOf(http, ApiJson.Compact.PromoteRequest, "{\"force\":false}") is { } request)
        {
            await Command(http, new ResourceCommand.Promote(request.Force));
        }
    }

    private async Task Verify(HttpContext http)
    {
        if (await BodyOf(http, ApiJson.Compact.VerifyRequest, "{\"repair\":false}") is { } request)
        {
            await Command(http, new ResourceCommand.Verify(request.Repair));
        }
    }

    private async Task Resize(HttpContext http)
    {
        if (await BodyOf(http, ApiJson.Compact.ResizeRequest, "{\"volume\":\"data\"}") is { } request)
        {
            await Command(http, new ResourceCommand.Resize(request.Volume, request.SizeBytes));
        }
    }

    /// <summary>The body of a request, or its defaults without one; null when it is malformed, which has been answered.</summary>
    private static async Task<T?> BodyOf<T>(HttpContext http, JsonTypeInfo<T> type, string example)
        where T : class, new()
    {
        T? request = null;
        try
        {
            request = http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
                ? await JsonSerializer.DeserializeAsync(http.Request.Body, type, http.RequestAborted)
                : new T();
        }
        catch (JsonException)
        {
            // Answered below.
        }

        if (request is null)
        {
            await Fail(
                http, StatusCodes.Status400BadRequest, $"the body of the request is no {typeof(T).Name}",
                $"send {example} as application/json, or no body");
        }

        return request;
    }

    private Task Demote(HttpContext http) => Command(http, new ResourceCommand.Demote());

    private Task Switchover(HttpContext http) => Command(http, new ResourceCommand.Switchover());

    private Task Command(HttpContext http, ResourceCommand command) =>
        OnResource(http, async resource =>
        {
            CommandOutcome outcome = await resource.Command(command);
            await Reply(http, outcome.Succeeded, outcome.Message, outcome.Remedy);
        });

    private async Task TestNotification(HttpContext http)
    {
        (bool succeeded, string message) = await daemon.Notifier.Test();
        await Reply(
            http, succeeded, succeeded ? $"A test notification went out: {message}." : message,
            succeeded ? null : "see 'notify' in docs/configuration.md, and the daemon's log");
    }

    private Task OnResource(HttpContext http, Func<RunningResource, Task> action)
    {
        string name = http.Request.RouteValues["name"] as string ?? "";
        return daemon.Find(name) is { } resource ? action(resource) : NoResource(http, name);
    }

    private Task NoResource(HttpContext http, string name) => Fail(
        http, StatusCodes.Status404NotFound, $"node {daemon.Context.Name} has no resource '{name}'",
        $"it has {string.Join(", ", daemon.Resources.Select(known => known.Name))}");

    private RequestDelegate Guarded(RequestDelegate handler) => guard.Before(handler);
}
