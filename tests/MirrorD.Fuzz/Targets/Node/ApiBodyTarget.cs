using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MirrorD.Api;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Node;

/// <summary>
/// Bodies of requests to the control API. The first byte of the input chooses which one. What the API itself does with them is a
/// call of the serializer and one exception.
/// </summary>
internal sealed class ApiBodyTarget : FuzzTarget
{
    public override string Name => "api-body";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Api/PromoteRequest.cs", "src/MirrorD.Api/VerifyRequest.cs", "src/MirrorD.Api/ResizeRequest.cs"];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "\"force\"", "\"repair\"", "\"volume\"", "\"sizeBytes\"", "true", "false", "null", "1", "1e400", "-0", "\"\\ud800\"", "{", "}", "[",
        "\\u0000", "\"", ":", ",", "//", "\ufeff",
    }.Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds() => new[]
    {
        "0{\"force\":true}", "1{\"repair\":true}", "2{\"volume\":\"data\",\"sizeBytes\":4096}", "2{}", "0null", "0[]", "0{\"force\":1}",
        "0{\"force\":true,\"force\":true}", "2{\"sizeBytes\":9223372036854775808}", "0{\"other\":{\"a\":[1]}}",
    }.Select(Encoding.UTF8.GetBytes);

    public override void Run(byte[] input)
    {
        ReadOnlySpan<byte> body = input.Length == 0 ? input : input.AsSpan(1);
        switch (input.Length == 0 ? 0 : input[0] % 3)
        {
            case 0:
                Check(body, ApiJson.Compact.PromoteRequest);
                break;
            case 1:
                Check(body, ApiJson.Compact.VerifyRequest);
                break;
            default:
                Check(body, ApiJson.Compact.ResizeRequest);
                break;
        }
    }

    private static void Check<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
        where T : class
    {
        T? request;
        try
        {
            request = JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return;
        }

        if (request is not null)
        {
            T? again = JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(request, type), type);
            BrokenProperty.Unless(request.Equals(again), "written and read again it is the same (round trip)");
        }
    }
}
