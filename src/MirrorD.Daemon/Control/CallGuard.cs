using MirrorD.Api;
using MirrorD.Daemon.Access;
using MirrorD.Daemon.Forwarding;
using MirrorD.Daemon.Logging;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using static MirrorD.Daemon.Control.ApiReply;

namespace MirrorD.Daemon.Control;

/// <summary>
/// What stands before every call: may the caller make it, and which node is it for. Each one that is no GET is logged once,
/// when it has ended, with who asked. A fault in one call is logged and answered; it never reaches the data path.
/// </summary>
internal sealed class CallGuard(Forwarder forwarder, ILogger logger)
{
    // What a change has as its result when its caller left before there was one (of nginx).
    private const int CallerLeft = StatusCodes.Status499ClientClosedRequest;

    /// <summary>The handler behind it.</summary>
    public RequestDelegate Before(RequestDelegate handler) => async http =>
    {
        Caller caller = CallerOf(http);
        bool changes = !HttpMethods.IsGet(http.Request.Method);
        if (changes)
        {
            http.Response.StatusCode = CallerLeft;
        }

        try
        {
            await Handle(http, caller, changes, handler);
        }
        catch (Exception gone) when (http.RequestAborted.IsCancellationRequested
            && gone is OperationCanceledException or IOException)
        {
            // The caller left.
        }
        finally
        {
            if (changes)
            {
                Log(http, caller);
            }
        }
    };

    /// <summary>Who makes the call.</summary>
    public static Caller CallerOf(HttpContext http) =>
        http.Features.Get<BroughtCalls>() is { } brought
            ? Caller.Elsewhere(http.Request.Headers[ApiPaths.UserHeader], brought.Node)
            : http.Features.GetRequiredFeature<Caller>();

    private async Task Handle(HttpContext http, Caller caller, bool changes, RequestDelegate handler)
    {
        try
        {
            if (caller.Refusal(changes) is var (refused, way))
            {
                await Fail(http, StatusCodes.Status403Forbidden, refused, way);
            }
            else if (forwarder.IsForSelf(http))
            {
                await handler(http);
            }
            else if (caller.Node is not null)
            {
                await Fail(
                    http, StatusCodes.Status400BadRequest, "a call that was passed on is not passed on again",
                    "ask the node that is meant");
            }
            else if (await forwarder.Forward(http, caller) is var (problem, remedy))
            {
                await Fail(http, StatusCodes.Status502BadGateway, problem, remedy);
            }
        }
        catch (BadHttpRequestException bad)
        {
            await Fail(http, bad.StatusCode, bad.Message.TrimEnd('.'), "docs/api.md describes the requests");
        }
        catch (Exception failed) when (!(http.RequestAborted.IsCancellationRequested
            && failed is OperationCanceledException or IOException))
        {
            DaemonLog.RequestFailed(logger, http.Request.Path.ToString(), failed);
            if (!http.Response.HasStarted)
            {
                await Fail(
                    http, StatusCodes.Status500InternalServerError,
                    $"the daemon failed in this call: {failed.Message}",
                    "see its log and report this");
            }
        }
    }

    private void Log(HttpContext http, Caller caller)
    {
        // As it stands in a URI: no byte of it can break the line.
        string call = $"{http.Request.Method} {http.Request.Path.ToUriComponent()}";
        if (forwarder.IsForSelf(http))
        {
            AccessLog.Called(logger, caller.ToString(), call, http.Response.StatusCode);
        }
        else
        {
            string node = Uri.EscapeDataString(http.Request.Headers[ApiPaths.NodeHeader].ToString());
            AccessLog.PassedOn(logger, caller.ToString(), call, node, http.Response.StatusCode);
        }
    }
}
