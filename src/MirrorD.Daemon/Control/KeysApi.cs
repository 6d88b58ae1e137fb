using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
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
            (bool succeeded, string message, string? remedy) = await rotation.Rotate(caller);
            await Reply(http, succeeded, message, remedy);
        })));
        routes.MapPost(ApiPaths.RenewKeys, guard.Before(ForRoot(async (http, caller) =>
        {
            (bool succeeded, string message, string? remedy) = await rotation.Renew(caller);
            await Reply(http, succeeded, message, remedy);
        })));
        routes.MapPost(ApiPaths.RevokeKey, guard.Before(ForRoot(Revoke)));
        routes.MapPost(ApiPaths.KeyStep, guard.Before(ForRoot((http, _) => Step(http))));
    }

    private static RequestDelegate ForRoot(Func<HttpContext, Caller, Task> handler) => http =>
        CallGuard.CallerOf(http) is { UserId: 0 } root ? handler(http, root)
            : Fail(http, StatusCodes.Status403Forbidden, "keys are changed by root only", "run it as root");

    private async Task Revoke(HttpContext http, Caller caller)
    {
        if (await BodyOf(http, ApiJson.Compact.RevokeRequest) is { } request
            && request.Key is { Length: 64 } key && key.All(char.IsAsciiHexDigitLower))
        {
            (bool succeeded, string message, string? remedy) = await rotation.Revoke(key, caller);
            await Reply(http, succeeded, message, remedy);
            return;
        }

        await Fail(http, StatusCodes.Status400BadRequest, "the body of the request names no key",
            "send {\"key\": the SHA-256 of its public key, 64 hexadecimal digits} as application/json");
    }

    private async Task Step(HttpContext http)
    {
        // None is answered as a step that is none.
        KeyStep? step = await BodyOf(http, ApiJson.Compact.KeyStep);
        http.Response.StatusCode = StatusCodes.Status200OK;
        await Reply(http, rotation.Do(step ?? new KeyStep()), ApiJson.Compact.KeyStepReply);
    }

    private static async Task<T?> BodyOf<T>(HttpContext http, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, http.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
