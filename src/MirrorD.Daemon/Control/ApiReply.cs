using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;
using Microsoft.AspNetCore.Http;

namespace MirrorD.Daemon.Control;

/// <summary>Answers of the control API.</summary>
internal static class ApiReply
{
    /// <summary>A report.</summary>
    public static async Task Reply<T>(HttpContext http, T value, JsonTypeInfo<T> type)
    {
        http.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(http.Response.Body, value, type, http.RequestAborted);
    }

    /// <summary>A text.</summary>
    public static Task Text(HttpContext http, string text, string contentType)
    {
        http.Response.ContentType = contentType;
        return http.Response.WriteAsync(text, http.RequestAborted);
    }

    /// <summary>What became of a command.</summary>
    public static Task Reply(HttpContext http, bool succeeded, string message, string? remedy)
    {
        http.Response.StatusCode = succeeded ? StatusCodes.Status200OK : StatusCodes.Status409Conflict;
        var reply = new CommandReply { Succeeded = succeeded, Message = message, Remedy = remedy };
        return Reply(http, reply, ApiJson.Compact.CommandReply);
    }

    /// <summary>A call that could not be carried out.</summary>
    /// <param name="http">The call.</param>
    /// <param name="code">One of the codes of docs/api.md.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="remedy">What to do; null when there is nothing.</param>
    public static Task Fail(HttpContext http, int code, string message, string? remedy)
    {
        http.Response.StatusCode = code;
        var reply = new CommandReply { Succeeded = false, Message = message, Remedy = remedy };
        return Reply(http, reply, ApiJson.Compact.CommandReply);
    }
}
