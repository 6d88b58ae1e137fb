using System.Text.Json;
using System.Text.Json.Serialization;

namespace MirrorD.Api;

/// <summary>How the contracts look as JSON: camel case, null left out, unknown members in requests refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(EventReport))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(ExplainReport))]
[JsonSerializable(typeof(PromoteRequest))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(VersionReport))]
public sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>The same contracts for a reader: indented, and with letters beyond ASCII as they are.</summary>
    public static ApiJson Indented { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
