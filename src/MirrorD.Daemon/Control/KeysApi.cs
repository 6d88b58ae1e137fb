using System.Text.Json;
using MirrorD.Api;
using MirrorD.Daemon.Access;
using MirrorD.Daemon.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using static MirrorD.Daemon.Control.ApiReply;

namespace MirrorD.Daemon.Control;

/// <summary>Calls about keys. Whoever changes them must be root: they are more than the data.</summary>
internal sealed class KeysApi(KeyRotation rotation, CallGuard guard)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiPaths.Keys, guard.Before(http => Reply(http, rotation.Report(), ApiJson.Compact.KeysReport)));
        routes.MapPost(ApiPaths.RotateKeys, guard.Before(ForRoot(async (http, caller) =>
        {
            (bool succeeded, string message, string? remedy) = await rotation.Rotate(caller, http.RequestAborted);
            await Reply(http, succeeded, message, remedy);
        })));
        routes.MapPost(ApiPaths.RenewKeys, guard.Before(ForRoot(async (http, caller) =>
        {
            (bool succeeded, string message, string? remedy) = await rotation.Renew(caller, http.RequestAborted);
            await Reply(http, succeeded, message, remedy);
        })));
        routes.MapPost(ApiPaths.KeyStep, guard.Before(ForRoot((http, _) => Step(http))));
    }

    private static RequestDelegate ForRoot(Func<HttpContext, Caller, Task> handler) => http =>
        CallGuard.CallerOf(http) is { UserId: 0 } root ? handler(http, root)
            : Fail(http, StatusCodes.Status403Forbidden, "keys are changed by root only", "run it as root");

    private async Task Step(HttpContext http)
    {
        KeyStep? step = null;
        try
        {
            step = await JsonSerializer.DeserializeAsync(http.Request.Body, ApiJson.Compact.KeyStep, http.RequestAborted);
        }
        catch (JsonException)
        {
            // Answered as a step that is none.
        }

        http.Response.StatusCode = StatusCodes.Status200OK;
        await Reply(http, rotation.Do(step ?? new KeyStep()), ApiJson.Compact.KeyStepReply);
    }
}
