using System.Text.Json;
using System.Text.Json.Serialization;

namespace MirrorD.Api;

/// <summary>
/// How the contracts look as JSON: camel case, null left out, no member twice, no null where a
/// value belongs; members that are not known are passed over.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(EventReport))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(HistoryList))]
[JsonSerializable(typeof(TakeoverRecord))]
[JsonSerializable(typeof(ExplainReport))]
[JsonSerializable(typeof(PromoteRequest))]
[JsonSerializable(typeof(VerifyRequest))]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(ResizeRequest))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(VersionReport))]
[JsonSerializable(typeof(LoadReport))]
[JsonSerializable(typeof(VolumeRateReport))]
[JsonSerializable(typeof(KeysReport))]
[JsonSerializable(typeof(KeyStep))]
[JsonSerializable(typeof(RevokeRequest))]
[JsonSerializable(typeof(KeyStepReply))]
public sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>The contracts on one line, with letters beyond ASCII and quotes as they are.</summary>
    public static ApiJson Compact { get; } = new(Style(indented: false));

    /// <summary>The same for a reader: indented.</summary>
    public static ApiJson Indented { get; } = new(Style(indented: true));

    // What is written here never goes into HTML.
    private static JsonSerializerOptions Style(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        WriteIndented = indented,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
